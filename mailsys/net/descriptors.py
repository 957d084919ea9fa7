"""Enough file descriptors for mail that is under way, however many connections come.

A connection takes one, and so does each file.  Connections get three quarters at most of what the process
may have.  The system gives the lowest free number to whatever is opened, so the number of a new connection
tells how many are in use, without asking anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

FILES = 64  # of our own: databases, logs, the listeners, and what the threads have open


@dataclass(frozen=True, slots=True)
class Descriptors:
    """``limit`` is how many this process may have open (RLIMIT_NOFILE)."""

    limit: int

    @property
    def for_connections(self) -> int:
        """So many connections there can be."""
        return max(self.limit * 3 // 4 - FILES, 1)

    def is_short(self, descriptor: int) -> bool:
        """Asked with the number of a new connection: is what is left needed for files?"""
        return descriptor >= self.for_connections + FILES


def needed_for(connections: int) -> int:
    """What the limit would have to be for so many connections."""
    return (connections + FILES) * 4 // 3 + 1
