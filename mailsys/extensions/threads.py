"""Calls of a plugin's blocking methods from worker threads, which wait no longer than its deadline."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from mailsys.extensions.guard import Fits, Guard
from mailsys.interfaces import PluginFailed

T = TypeVar("T")

MOST_HANGING = 16  # calls whose threads are still there; beyond it nothing is asked any more


class GuardedThreads:
    """Each call has a thread of its own: nothing can end a thread, so one that hangs is left alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._lock = Lock()
        self._hanging = 0

    def call(self, step: str, question: Callable[[], T], fits: Fits | None = None) -> T:
        """The answer, in time and usable; raises OSError, and nothing else.  From a worker thread."""
        if self._hanging >= MOST_HANGING:
            raise OSError(f"the plugin {self._guard.name} was not asked, since {self._hanging} calls hang")
        asked = _Asked(question)
        Thread(target=asked.run, name=f"{self._guard.name} {step}", daemon=True).start()
        if not asked.answered.wait(self._guard.seconds):
            self._leave_alone(asked)
            error = TimeoutError(f"it did not answer in {self._guard.seconds:g} s")
            raise OSError(str(self._guard.failed(step, error)))
        if isinstance(asked.error, OSError):
            raise asked.error
        if asked.error is not None:
            raise OSError(str(self._guard.failed(step, asked.error))) from asked.error
        try:
            self._guard.check(step, asked.answer, fits)
        except PluginFailed as failed:
            raise OSError(str(failed)) from failed
        answer: T = asked.answer
        return answer

    def _leave_alone(self, asked: _Asked) -> None:
        with self._lock:
            self._hanging += 1

        def ended() -> None:
            with self._lock:
                self._hanging -= 1

        asked.at_end(ended)


class _Asked:
    """One call in a thread."""

    def __init__(self, question: Callable[[], Any]) -> None:
        self.answered = Event()
        self.answer: Any = None
        self.error: BaseException | None = None
        self._question = question
        self._lock = Lock()
        self._ended: Callable[[], None] | None = None

    def run(self) -> None:
        """Ask."""
        try:
            self.answer = self._question()
        except BaseException as error:
            self.error = error
        with self._lock:
            self.answered.set()
            ended = self._ended
        if ended is not None:
            ended()

    def at_end(self, ended: Callable[[], None]) -> None:
        """Call it when the thread is done, or now when it is done already."""
        with self._lock:
            if not self.answered.is_set():
                self._ended = ended
                return
        ended()
