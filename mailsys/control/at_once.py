"""Runs what a server would wait for, and a command need not."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(asked: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for; raises what it raises."""
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    outcome: list[Any] = []
    Deferred.fromCoroutine(asked).addBoth(outcome.append)
    result: Any = outcome.pop()
    if isinstance(result, Failure):
        result.raiseException()
    return result  # type: ignore[no-any-return]
