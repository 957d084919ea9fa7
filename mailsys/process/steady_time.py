"""Timers that do not care when somebody sets the clock.

Twisted counts the seconds of its timers on the clock of the wall.  Set forward by a day, every timeout
of a server would end at once; set back by a day, none would for a day.
"""

from __future__ import annotations

import time
from typing import Any


def keep_steady_time(reactor: Any) -> None:
    """Let the reactor count with a clock that only goes on; timers that it has already keep their length."""
    was = reactor.seconds
    if was is time.monotonic:
        return
    waiting = [(call, call.getTime() - was()) for call in reactor.getDelayedCalls()]
    reactor.seconds = time.monotonic
    for call, left in waiting:
        call.seconds = time.monotonic
        call.reset(max(0.0, left))
