"""Whatever a plugin does, it hurts only what it was asked; the log and the caller hear which one it was."""

import sys

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogPublisher, globalLogPublisher

from mailsys.extensions.guard import Guard
from mailsys.extensions.words import CHARACTERS, describe
from mailsys.interfaces import PluginFailed


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("not even this")

    __repr__ = __str__


def endless():
    return endless()


def raising(error):
    async def ask():
        raise error

    return ask


async def recursing():
    return endless()


async def out_of_memory():
    return b"x" * sys.maxsize


async def a_huge_number():
    return int("9" * 100_000)


async def leaving():
    sys.exit("goodbye")


def not_a_coroutine():
    return 7


def unhandled_deferred():
    failing = Deferred()
    failing.errback(ZeroDivisionError("in a callback"))
    return failing


@pytest.fixture
def logged():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)
    assert isinstance(globalLogPublisher, LogPublisher)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return Guard("acme", "/somewhere/acme.py", 30.0, clock)


def outcome_of(asked):
    outcome = []
    Deferred.fromCoroutine(asked).addBoth(outcome.append)
    return outcome


def failure_of(asked):
    [failure] = outcome_of(asked)
    assert failure.check(PluginFailed), failure
    return str(failure.value)


@pytest.mark.row(66)
@pytest.mark.parametrize(
    ("question", "said"),
    [
        (raising(ValueError("oh")), "ValueError: oh"),
        (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
        (raising(GeneratorExit()), "GeneratorExit"),
        (raising(CancelledError()), "CancelledError"),
        (raising(UnspeakableError()), "UnspeakableError"),
        (recursing, "RecursionError: maximum recursion depth exceeded"),
        (out_of_memory, "MemoryError"),
        (a_huge_number, "ValueError: Exceeds the limit"),
        (leaving, "SystemExit: goodbye"),
        (not_a_coroutine, "TypeError"),
        (unhandled_deferred, "ZeroDivisionError: in a callback"),
    ],
)
def test_whatever_it_raises_is_one_sentence(guard, logged, question, said):
    told = failure_of(guard.ask("lookup", question))
    assert told.startswith(f"the plugin acme failed at lookup: {said}")
    [event] = [event for event in logged if event.get("log_namespace") == "mailsys.plugins"]
    assert (event["plugin"], event["file"], event["step"]) == ("acme", "/somewhere/acme.py", "lookup")
    assert event["log_failure"].getTraceback()


@pytest.mark.row(66)
def test_an_answer_is_waited_for_until_the_deadline(guard, clock):
    cancelled = []
    outcome = outcome_of(guard.ask("lookup", lambda: Deferred(cancelled.append)))
    clock.advance(29.9)
    assert outcome == []
    clock.advance(0.2)
    assert str(outcome[0].value) == (
        "the plugin acme failed at lookup: TimeoutError: it did not answer in 30 s"
    )
    assert len(cancelled) == 1
    assert clock.getDelayedCalls() == []


def test_one_that_will_not_be_cancelled_is_not_waited_for_either(guard, clock):
    async def stubborn():
        while True:
            try:
                await Deferred()
            except CancelledError:
                continue

    outcome = outcome_of(guard.ask("lookup", stubborn))
    clock.advance(31)
    assert outcome[0].check(PluginFailed)


def test_an_answer_in_time_leaves_no_timer(guard, clock):
    answer = Deferred()
    outcome = outcome_of(guard.ask("lookup", lambda: answer))
    clock.advance(5)
    answer.callback("yes")
    assert outcome == ["yes"]
    assert clock.getDelayedCalls() == []


def test_a_session_that_ends_ends_the_question_and_is_no_fault_of_the_plugin(guard, clock, logged):
    cancelled = []
    asked = Deferred.fromCoroutine(guard.ask("lookup", lambda: Deferred(cancelled.append)))
    asked.cancel()
    ended = []
    asked.addErrback(ended.append)
    assert ended[0].check(CancelledError)
    assert len(cancelled) == 1
    assert clock.getDelayedCalls() == []
    assert [event for event in logged if event.get("log_namespace") == "mailsys.plugins"] == []


def test_what_the_interface_declares_passes_as_it_is(guard):
    [failure] = outcome_of(guard.ask("lookup", raising(KeyError("gone")), declared=(KeyError,)))
    assert failure.check(KeyError)


def test_nonsense_is_a_failure(guard):
    async def seven():
        return 7

    told = failure_of(guard.ask("lookup", seven, lambda answer: f"{answer} is no answer"))
    assert told.endswith("TypeError: 7 is no answer")
    assert failure_of(guard.ask("lookup", seven, lambda answer: answer.text)).endswith("no attribute 'text'")


@pytest.mark.row(66)
def test_plain_methods_are_guarded_too(guard):
    with pytest.raises(PluginFailed, match="failed at plan: RecursionError"):
        guard.call("plan", endless)
    with pytest.raises(PluginFailed, match="TypeError: no"):
        guard.call("plan", lambda: 1, lambda answer: "no")
    assert guard.call("plan", lambda: 1, lambda answer: "") == 1


def test_a_description_is_one_bounded_line():
    assert describe(ValueError("a\nb\x1b[31m" + "x" * 1000))[:24] == r"ValueError: a\nb\x1b[31m"
    assert len(describe(ValueError("x" * 1000))) == CHARACTERS
