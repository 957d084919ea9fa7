"""The pools of threads: they hold nobody up, least of all when they do not run."""

import threading
import time

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from mailsys.interfaces import HostStops
from mailsys.threads import EndOfTurn, Workers


class WorkersTests(TestCase):
    """With the real reactor."""

    timeout = 20

    def make(self):
        return Workers(reactor, 2, "test")

    async def test_work_is_done_in_a_thread(self):
        workers = self.make()
        workers.start()
        assert await workers.run(threading.current_thread) is not threading.current_thread()
        await workers.stop()

    async def test_nobody_waits_for_threads_that_do_not_run(self):
        workers = self.make()
        await self.assertFailure(workers.run(int), HostStops)
        workers.start()
        await workers.stop()
        await self.assertFailure(workers.run(int), HostStops)

    async def test_stopping_what_never_ran_ends(self):
        await self.make().stop()

    async def test_stopping_finishes_what_was_begun_and_does_not_block(self):
        workers, go_on = self.make(), threading.Event()
        workers.start()
        work = workers.run(go_on.wait, 10)
        began = time.monotonic()
        ended = workers.stop()
        assert time.monotonic() - began < 1
        assert isinstance(ended, Deferred)
        assert not ended.called
        go_on.set()
        assert await work is True
        await ended


def test_what_is_asked_for_in_one_turn_is_done_once_at_its_end():
    clock, calls = Clock(), []
    turn = EndOfTurn(clock, lambda: calls.append(clock.seconds()))
    for _ in range(3):
        turn.ask()
    assert calls == []
    clock.advance(0)
    assert calls == [0]
    turn.ask()
    clock.advance(0)
    assert calls == [0, 0]
