"""How large a message is on the disk and on the wire, when its name does not tell."""

from __future__ import annotations

import os

from mailsys.message.content import READ_OCTETS
from mailsys.store.maildir.scan import open_regular


def measure(path: str) -> tuple[int, int]:
    """Return the size on the disk, and with a CR for each LF that has none; raises OSError.

    Reads the whole file, in a worker thread.
    """
    descriptor = open_regular(path)
    try:
        return measure_open(descriptor)
    finally:
        os.close(descriptor)


def measure_open(descriptor: int) -> tuple[int, int]:
    """The same of an open file, from where it stands."""
    size = bare = 0
    ended_with_cr = False
    while piece := os.read(descriptor, READ_OCTETS):
        size += len(piece)
        bare += piece.count(b"\n") - piece.count(b"\r\n")
        if ended_with_cr and piece.startswith(b"\n"):
            bare -= 1
        ended_with_cr = piece.endswith(b"\r")
    return size, size + bare
