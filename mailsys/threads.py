"""Threads that wait for disks and hashes, so that the reactor does not."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from mailsys.interfaces import HostStops, IWorkers

T = TypeVar("T")


@implementer(IWorkers)
class Workers:
    """A small pool of threads of its own; whoever makes it calls ``start`` and ``stop``."""

    def __init__(self, reactor: IReactorFromThreads, threads: int, name: str) -> None:
        self._reactor = reactor
        self._name = name
        self._pool = ThreadPool(minthreads=0, maxthreads=threads, name=name)
        self._is_running = False

    def start(self) -> None:
        """Begin to take work."""
        self._is_running = True
        self._pool.start()

    def stop(self) -> Deferred[None]:
        """Take no more, finish what was begun, and end the threads; fires when they have ended."""
        self._is_running = False
        ended: Deferred[None] = Deferred()
        # What was begun may take long, and the reactor's thread must not wait for it.
        Thread(target=self._end, args=(ended,), name=f"{self._name}-end").start()
        return ended

    def run(self, function: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Call the function in a thread and return its result; HostStops when there are no threads."""
        if not self._is_running:
            return fail(HostStops(f"there are no threads for {self._name}"))
        return deferToThreadPool(self._reactor, self._pool, function, *arguments)

    def _end(self, ended: Deferred[None]) -> None:
        self._pool.stop()
        self._reactor.callFromThread(ended.callback, None)


class EndOfTurn:
    """Calls ``function`` once at the end of the reactor's turn, however often that is asked for in it.

    A thread that is woken in the middle of a turn takes the interpreter from the reactor's thread, which has
    more for it in a moment; woken at the end, it gets all of that at once.
    """

    def __init__(self, clock: IReactorTime, function: Callable[[], object]) -> None:
        self._clock = clock
        self._function = function
        self._is_asked = False

    def ask(self) -> None:
        """Have it called."""
        if not self._is_asked:
            self._is_asked = True
            self._clock.callLater(0, self._call)

    def _call(self) -> None:
        self._is_asked = False
        self._function()


@implementer(IWorkers)
class NoThreads:
    """For tests and the command line: does the work at once, in the caller's thread."""

    def run(self, function: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Call the function now."""
        return Deferred.fromCoroutine(_at_once(function, *arguments))


async def _at_once(function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)
