"""Runs what a server would wait for, and a command seldom has to."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(asked: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine; raises what it raises.

    Nothing of ours waits in a command.  For a plugin that does, the reactor runs until it is done,
    which it can do once in a process.
    """
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    outcome: list[Any] = []
    asking = Deferred.fromCoroutine(asked).addBoth(outcome.append)
    if not outcome:
        _wait_for(asking)
    result: Any = outcome.pop()
    if isinstance(result, Failure):
        result.raiseException()
    return result  # type: ignore[no-any-return]


def _wait_for(asking: Any) -> None:
    from twisted.internet import reactor

    running: Any = reactor
    asking.addBoth(lambda _: running.stop())
    running.run()
    if not asking.called:
        raise KeyboardInterrupt  # Ctrl-C ended the reactor
