"""Row 54: timers keep their length whatever somebody does to the clock of the wall."""

import time

import pytest
from twisted.internet.selectreactor import SelectReactor

from mailsys.process import keep_steady_time


@pytest.fixture
def reactor(monkeypatch):
    """A reactor of its own whose wall clock can be set."""
    reactor = SelectReactor()
    reactor.jump = 0.0
    reactor.seconds = lambda: time.time() + reactor.jump
    yield reactor
    for call in reactor.getDelayedCalls():
        call.cancel()


@pytest.mark.row(54)
@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, 2**31 - time.time()])
def test_a_jump_of_the_clock_moves_no_timer(reactor, jump):
    fired = []
    soon = reactor.callLater(0.02, fired.append, "soon")
    reactor.callLater(3600.0, fired.append, "late")
    keep_steady_time(reactor)
    keep_steady_time(reactor)  # again does no harm
    reactor.jump = jump
    after = reactor.callLater(0.03, fired.append, "after")
    end = time.monotonic() + 5
    while soon.active() or after.active():
        assert time.monotonic() < end
        reactor.runUntilCurrent()
        time.sleep(0.005)
    assert fired == ["soon", "after"]
    (late,) = reactor.getDelayedCalls()
    assert 3590 < late.getTime() - time.monotonic() <= 3600
