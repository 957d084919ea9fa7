"""Where lines go: an open stream, or a file that can be opened again after it was moved away."""

from __future__ import annotations

import os
from typing import IO

MODE = 0o640  # the group may read, as with adm


class CannotLog(Exception):  # noqa: N818 - a sentence for the operator
    """The log cannot be written; the text says why."""


class StreamSink:
    """Writes to a stream that somebody else opened, past its buffers.

    A line that cannot be written is lost; the next one that can says how many were.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._descriptor = stream.fileno()
        self._lost = 0

    def write(self, line: str) -> None:
        """Write a line.  Never raises."""
        if self._lost and self._put(f"({self._lost} lines of this log could not be written)"):
            self._lost = 0
        if self._lost or not self._put(line):
            self._lost += 1

    def reopen(self) -> None:
        """Somebody moved the file away: begin another; raises CannotLog."""

    def _put(self, line: str) -> bool:
        octets = memoryview(line.encode(errors="backslashreplace") + b"\n")
        try:
            while octets:
                octets = octets[os.write(self._descriptor, octets) :]
        except OSError:
            return False
        return True


class FileSink(StreamSink):
    """Appends to a file; ``owner`` is the user and group that it is for, when root makes it for somebody."""

    def __init__(self, path: str, owner: tuple[int, int] | None = None) -> None:
        self._path = path
        self._lost = 0
        self._descriptor = self._open()
        if owner is not None and os.geteuid() == 0:
            os.fchown(self._descriptor, *owner)

    def reopen(self) -> None:
        """Begin anew at the path; while that cannot be done the old file goes on."""
        old, self._descriptor = self._descriptor, self._open()
        os.close(old)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise CannotLog(f"The log {self._path} cannot be opened: {error.strerror}.") from error
