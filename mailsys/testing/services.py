"""What a plugin may use of the host, without a host; and answers without a reactor."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailsys.interfaces import Services
from mailsys.journal.nothing import NoJournal
from mailsys.threads import NoThreads

T = TypeVar("T")


def services(folder: object, name: str = "tested", clock: Clock | None = None) -> Services:
    """Services whose threads work at once, and whose timers go off when ``clock`` is advanced."""
    return Services(
        name, "mail.example.org", str(folder), clock or Clock(), time.time, NoThreads(), NoJournal()
    )


def result_of(asked: Awaitable[T]) -> T:
    """What is answered without any wait; raises what it raises."""

    async def ask() -> T:
        return await asked

    outcome: list[Any] = []
    Deferred.fromCoroutine(ask()).addBoth(outcome.append)
    if not outcome:
        raise AssertionError("it still waits; a suite for what must wait overrides 'wait_for'")
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    answer: T = outcome[0]
    return answer


class Asking:
    """What all suites share: how they wait for an answer."""

    def wait_for(self, asked: Awaitable[T]) -> T:
        """The answer; to be overridden where one needs a reactor."""
        return result_of(asked)
