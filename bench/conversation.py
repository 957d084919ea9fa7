"""One side of a conversation with a server, as a generator: yields requests, is sent the replies.

It knows nothing of sockets; ``connections.py`` carries its octets.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple

Conversation = Generator["Request", bytes, None]


class Request(NamedTuple):
    """Octets for the server, and how to see that all of its reply is there."""

    octets: bytes
    is_whole: Callable[[bytearray], bool]


class Refused(Exception):  # noqa: N818 - what the server said, for a person
    """The server did not do what it was asked; the text tells what it said."""


def expect(wanted: bytes, reply: bytes) -> bytes:
    """The reply, if it begins as wanted; raises Refused."""
    if not reply.startswith(wanted):
        raise Refused(reply[:200].decode(errors="replace").strip())
    return reply
