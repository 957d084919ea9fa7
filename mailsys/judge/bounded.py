"""A question that must have its answer by a certain time."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

T = TypeVar("T")


async def within(seconds: float, clock: IReactorTime, asked: Coroutine[Any, Any, T]) -> T:
    """Its answer; raises TimeoutError, after which nobody waits for it any more."""
    waiting: Deferred[T] = Deferred.fromCoroutine(asked)
    if waiting.called:
        return await waiting  # from a cache, as nearly always: no timer is worth it
    is_over = False

    def give_up() -> None:
        nonlocal is_over
        is_over = True
        waiting.cancel()

    timer = clock.callLater(seconds, give_up)
    try:
        return await waiting
    except Exception:
        # Whoever is cancelled may say so in any way.
        if is_over:
            raise TimeoutError(f"no answer within {seconds:.0f} seconds") from None
        raise
    finally:
        if timer.active():
            timer.cancel()
