"""Where the control socket is, and how it is reached however deep the data folder lies."""

from __future__ import annotations

import os

NAME = "control"
FRAME_OCTETS = 64 * 1024  # of a request or an answer, with its LF


class ControlPath:
    """The path by way of a descriptor: the address of a socket has room for 107 octets alone."""

    def __init__(self, data: str) -> None:
        self._descriptor = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> str:
        return f"/proc/self/fd/{self._descriptor}/{NAME}"

    def __exit__(self, *_reason: object) -> None:
        os.close(self._descriptor)
