"""What APPEND needs to take messages in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailsys.interfaces import ICollector, IFreeSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """``message_octets`` is the largest message; whoever makes a collector discards it in the end."""

    message_octets: int
    space: IFreeSpace
    collector: Callable[[], ICollector]
