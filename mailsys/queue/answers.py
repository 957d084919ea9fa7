"""Answers of the writer's thread on their way to the reactor's: all that are ready go in one call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from twisted.internet.defer import Deferred


class Answers:
    """``call_in_reactor`` runs a function in the reactor's thread, where the deferreds fire."""

    def __init__(self, call_in_reactor: Callable[..., Any]) -> None:
        self._call_in_reactor = call_in_reactor
        self._ready: deque[tuple[Deferred[Any], Future[Any]]] = deque()
        self._is_called = False

    def of(self, future: Future[Any]) -> Deferred[Any]:
        """Fires with what the future brings."""
        answered: Deferred[Any] = Deferred()
        if future.done():
            _pass_on(answered, future)
        else:
            future.add_done_callback(lambda _: self._add(answered, future))
        return answered

    def _add(self, answered: Deferred[Any], future: Future[Any]) -> None:
        self._ready.append((answered, future))
        if not self._is_called:
            self._is_called = True
            self._call_in_reactor(self._pass_all)

    def _pass_all(self) -> None:
        self._is_called = False  # before looking: what is added after that calls again
        while self._ready:
            _pass_on(*self._ready.popleft())


def _pass_on(answered: Deferred[Any], future: Future[Any]) -> None:
    if answered.called:  # whoever asked has given up
        return
    error = future.exception()
    if error is not None:
        answered.errback(error)
    else:
        answered.callback(future.result())
