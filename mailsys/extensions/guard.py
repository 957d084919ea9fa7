"""Stands between the host and one plugin: whatever goes wrong in it becomes PluginFailed, which names it.

A plugin that raises anything at all, takes too long, or returns what nobody can use is told in the log
with all that is known, and to the caller in one sentence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsys.extensions.words import describe
from mailsys.interfaces import PluginFailed

T = TypeVar("T")
Fits = Callable[[Any], str]  # what is wrong with an answer; empty when nothing is

log = Logger(namespace="mailsys.plugins")


@dataclass(frozen=True, slots=True)
class Guard:
    """Calls one plugin: ``name`` as in the configuration, ``file`` where it comes from."""

    name: str
    file: str
    seconds: float
    clock: IReactorTime

    async def ask(
        self,
        step: str,
        question: Callable[[], Awaitable[T]],
        fits: Fits | None = None,
        declared: tuple[type[Exception], ...] = (),
    ) -> T:
        """The answer, in time and usable; raises PluginFailed, and what the interface has ``declared``."""
        answer: T = await self._in_time(step, question, declared)
        self.check(step, answer, fits)
        return answer

    def call(self, step: str, question: Callable[[], T], fits: Fits | None = None) -> T:
        """The same for a plugin's plain method, which no deadline can end."""
        try:
            answer = question()
        except BaseException as error:
            raise self.failed(step, error) from error
        self.check(step, answer, fits)
        return answer

    def check(self, step: str, answer: object, fits: Fits | None) -> None:
        """Raise PluginFailed when an answer is of no use."""
        if fits is None:
            return
        try:
            fault = fits(answer)
        except BaseException as error:  # an answer that cannot even be looked at
            raise self.failed(step, error) from error
        if fault:
            raise self.failed(step, TypeError(fault))

    def failed(self, step: str, error: BaseException) -> PluginFailed:
        """Tell the log; returns what to raise."""
        log.failure(
            "Plugin {plugin} ({file}) failed at {step}",
            failure=Failure(error),
            plugin=self.name,
            file=self.file,
            step=step,
        )
        return PluginFailed(f"the plugin {self.name} failed at {step}: {describe(error)}")

    async def _in_time(
        self, step: str, question: Callable[[], Awaitable[T]], declared: tuple[type[Exception], ...]
    ) -> T:
        waiting = _Waiting(Deferred.fromCoroutine(_answer(question)), self.seconds, self.clock)
        try:
            result: T = await waiting.result
        except BaseException as error:
            # The session may have ended, which is no fault of the plugin.
            if waiting.is_given_up or isinstance(error, declared):
                raise
            raise self.failed(step, error) from error
        return result


def _answer(question: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
    """A coroutine of ours, whatever the plugin's method is."""

    async def answer() -> T:
        return await question()

    return answer()


class _Waiting:
    """Waits for an answer, but not for ever, even if the plugin will not be cancelled."""

    def __init__(self, answering: Deferred[Any], seconds: float, clock: IReactorTime) -> None:
        self.is_given_up = False
        self.result: Deferred[Any] = Deferred(self._give_up)
        self._answering = answering
        self._seconds = seconds
        self._alarm = None if answering.called else clock.callLater(seconds, self._expire)
        answering.addBoth(self._take)

    def _take(self, answer: Any) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        if not self.result.called:
            self.result.callback(answer)

    def _expire(self) -> None:
        self.result.errback(TimeoutError(f"it did not answer in {self._seconds:g} s"))
        self._answering.cancel()

    def _give_up(self, result: Deferred[Any]) -> None:
        self.is_given_up = True
        result.errback(CancelledError())
        self._answering.cancel()
