"""Threads that wait for disks and hashes, so that the reactor does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from mailsys.interfaces import IWorkers

T = TypeVar("T")


@implementer(IWorkers)
class Workers:
    """A small pool of threads of its own; whoever makes it calls ``start`` and ``stop``."""

    def __init__(self, reactor: IReactorFromThreads, threads: int, name: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=threads, name=name)

    def start(self) -> None:
        """Begin to take work."""
        self._pool.start()

    def stop(self) -> None:
        """Finish what was begun, then end the threads."""
        self._pool.stop()

    def run(self, function: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Call the function in a thread and return its result."""
        return deferToThreadPool(self._reactor, self._pool, function, *arguments)


@implementer(IWorkers)
class NoThreads:
    """For tests and the command line: does the work at once, in the caller's thread."""

    def run(self, function: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Call the function now."""
        return Deferred.fromCoroutine(_at_once(function, *arguments))


async def _at_once(function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)
