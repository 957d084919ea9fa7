"""How the lab tells what happens: plain lines, with colour only where a person looks."""

from __future__ import annotations

import os
import textwrap
from typing import TextIO

_BOLD, _GREEN, _DIM, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
WIDTH = 12  # of the column of stations
COLUMNS = 110  # for the words of others, which are wrapped


class Telling:
    """Writes to a stream and flushes each line, so that a pipe sees it at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._coloured = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def heading(self, words: str) -> None:
        """What comes next, after an empty line."""
        self.line()
        self.line(self._in(_BOLD, words))

    def step(self, station: str, words: str) -> None:
        """What happens at a station of the mail's way."""
        self.line(f"  {self._in(_GREEN, station.ljust(WIDTH))}{words}")

    def quote(self, text: str) -> None:
        """Someone else's words, below a step."""
        for line in text.strip().splitlines():
            margin = " " * (WIDTH + 2 + len(line) - len(line.lstrip()))
            for piece in textwrap.wrap(
                line.lstrip(), COLUMNS, initial_indent=margin, subsequent_indent=margin + "    ",
                break_long_words=False, break_on_hyphens=False,
            ):  # fmt: skip
                self.line(self._in(_DIM, piece))

    def line(self, words: str = "") -> None:
        """Words as they are."""
        print(words, file=self._out, flush=True)

    def _in(self, colour: str, words: str) -> str:
        return f"{colour}{words}{_PLAIN}" if self._coloured else words
