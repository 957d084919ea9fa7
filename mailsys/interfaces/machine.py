"""What the stations want of the machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from zope.interface import Interface

T = TypeVar("T")


class IFreeSpace(Interface):
    """Whether the disk has room for mail."""

    def has_room_for(octets: int) -> bool:
        """Could a message of so many octets be taken, and a reserve be left?  0 when it is not known."""


class IWorkers(Interface):
    """Threads that wait for disks and hashes."""

    def run(function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Call the function in a thread and return its result."""
