"""Whose process is at the other end of a local socket, as the kernel knows it (unix(7), SO_PEERCRED)."""

from __future__ import annotations

import socket
import struct
from typing import Any

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid, as they were when the peer connected


def user_of(transport: Any) -> int:
    """The number of the user; raises OSError where the connection is none of a local socket."""
    credentials = transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(credentials)
    return int(uid)
