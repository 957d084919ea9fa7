"""What the stations want of the machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from zope.interface import Interface

T = TypeVar("T")


class IWorkers(Interface):
    """Threads that wait for disks and hashes."""

    def run(function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Call the function in a thread and return its result."""
