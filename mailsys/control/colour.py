"""Colours, where a person looks: on a terminal, unless NO_COLOR says otherwise."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

_BOLD, _RED, _GREEN, _DIM, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
_LINE = re.compile(r"(  (?:\d{1,2} \w{3} \d{4} )?\d\d:\d\d:\d\d  )(.*)")
_BAD = ("Refused", "Ended by us", "Will not reach", "Could not log in", "Never complete")


def is_coloured(stream: TextIO | None = None) -> bool:
    """Does this stream take colours, and does its reader want them?"""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(story: str) -> str:
    """A story with its heading in bold, its times dim, and good and bad ends in green and red."""
    first, *lines = story.split("\n")
    return "\n".join([f"{_BOLD}{first}{_PLAIN}", *map(_painted, lines)])


def _painted(line: str) -> str:
    match = _LINE.fullmatch(line)
    if match is None:
        return line
    at, words = match.groups()
    colour = _RED if words.startswith(_BAD) else _GREEN if words.startswith("Delivered") else ""
    return f"{_DIM}{at}{_PLAIN}{colour}{words}{_PLAIN if colour else ''}"
