"""How the judges' verdicts become one."""

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailsys.interfaces import (
    ACCEPT,
    Disposition,
    IGreetingPause,
    IJudge,
    IJudgePipeline,
    Peer,
    Session,
    Verdict,
)
from mailsys.judge.pipeline import JudgePipeline
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.reply import LOCAL_ERROR, Reply

SESSION = Session("s1", Peer("192.0.2.1", 40000, "smtp"))
JANE = parse_address("jane@example.org")
ENVELOPE = Envelope("m1", None, (JANE,))
CONTENT = MemoryContent([b"From: a@b\r\n\r\n"])

NOT_NOW = Reply(450, "4.2.0", "Come back later")
NEVER = Reply(550, "5.7.1", "Never")


class FixedJudge(SilentJudge):
    """Answers the same at every step, and counts how often it was asked."""

    def __init__(self, name, verdict):
        self.name = name
        self.asked = []
        self._verdict = verdict

    async def connection(self, session):
        return self._answer("connection", session)

    async def sender(self, session, reverse_path):
        return self._answer("sender", session, reverse_path)

    async def recipient(self, session, recipient):
        return self._answer("recipient", session, recipient)

    async def message(self, session, envelope, content):
        return self._answer("message", session, envelope, content)

    def _answer(self, *question):
        self.asked.append(question)
        if isinstance(self._verdict, Exception):
            raise self._verdict
        return self._verdict


@implementer(IGreetingPause)
class PausingJudge(SilentJudge):
    name = "pausing"

    def __init__(self, seconds):
        self._seconds = seconds

    def pause_seconds(self, session):
        return self._seconds


def junk(*headers):
    return FixedJudge("junk", Verdict(Disposition.JUNK, "looks odd", headers=headers))


def defer(reply=NOT_NOW, *headers):
    return FixedJudge("later", Verdict(Disposition.DEFER, "is busy", reply, headers))


def reject(reply=NEVER, *headers):
    return FixedJudge("never", Verdict(Disposition.REJECT, "is bad", reply, headers))


class PipelineTests(SynchronousTestCase):
    def ask(self, *judges):
        pipeline = JudgePipeline(judges)
        return self.successResultOf(Deferred.fromCoroutine(pipeline.message(SESSION, ENVELOPE, CONTENT)))

    def test_interfaces(self):
        verifyObject(IJudgePipeline, JudgePipeline([]))
        verifyObject(IJudge, SilentJudge())

    def test_without_judges_all_is_accepted(self):
        assert self.ask() is ACCEPT
        assert self.ask(SilentJudge(), SilentJudge()) is ACCEPT

    def test_every_step_asks_every_judge_in_order(self):
        first, second = junk(), junk()
        pipeline = JudgePipeline([first, second])
        for coroutine in (
            pipeline.connection(SESSION),
            pipeline.sender(SESSION, None),
            pipeline.recipient(SESSION, JANE),
            pipeline.message(SESSION, ENVELOPE, CONTENT),
        ):
            verdict = self.successResultOf(Deferred.fromCoroutine(coroutine))
            assert verdict == Verdict(Disposition.JUNK, "junk: looks odd")
        assert first.asked == second.asked
        assert first.asked == [
            ("connection", SESSION),
            ("sender", SESSION, None),
            ("recipient", SESSION, JANE),
            ("message", SESSION, ENVELOPE, CONTENT),
        ]

    def test_the_weightiest_wins(self):
        for judges, disposition, reply in (
            ([SilentJudge(), junk()], Disposition.JUNK, None),
            ([defer(), junk()], Disposition.DEFER, NOT_NOW),
            ([junk(), defer(), reject()], Disposition.REJECT, NEVER),
            ([defer(), reject(), junk()], Disposition.REJECT, NEVER),
        ):
            verdict = self.ask(*judges)
            assert (verdict.disposition, verdict.reply) == (disposition, reply)

    def test_the_first_of_equals_wins(self):
        other = Reply(451, "4.0.0", "Other")
        assert self.ask(defer(), defer(other)).reply == NOT_NOW
        assert self.ask(defer(other), defer()).reply == other

    def test_a_rejection_ends_the_round_and_a_deferral_does_not(self):
        last = junk()
        self.ask(junk(), reject(), last)
        assert last.asked == []
        self.ask(defer(), last)
        assert len(last.asked) == 1

    def test_header_lines_of_all_are_kept(self):
        accepting = FixedJudge("kind", Verdict(Disposition.ACCEPT, headers=(b"A: 1\r\n", b"B: 2\r\n")))
        verdict = self.ask(accepting, junk(b"C: 3\r\n"), SilentJudge(), accepting)
        assert verdict == Verdict(
            Disposition.JUNK,
            "junk: looks odd",
            headers=(b"A: 1\r\n", b"B: 2\r\n", b"C: 3\r\n", b"A: 1\r\n", b"B: 2\r\n"),
        )
        assert self.ask(accepting) == Verdict(Disposition.ACCEPT, headers=(b"A: 1\r\n", b"B: 2\r\n"))

    def test_a_reply_that_is_missing_or_does_not_fit_is_replaced(self):
        for reply in (None, NEVER, Reply(250, "2.0.0", "OK")):
            assert self.ask(defer(reply)).reply.is_transient
        for reply in (None, NOT_NOW, Reply(250, "2.0.0", "OK")):
            assert self.ask(reject(reply)).reply.is_permanent
        assert self.ask(FixedJudge("odd", Verdict(Disposition.JUNK, reply=NEVER))).reply is None

    def test_a_judge_without_a_reason_is_still_named(self):
        assert self.ask(FixedJudge("mute", Verdict(Disposition.JUNK))).reason == "mute"

    def test_the_longest_pause_counts(self):
        assert JudgePipeline([SilentJudge()]).pause_seconds(SESSION) == 0
        pipeline = JudgePipeline([PausingJudge(1), junk(), PausingJudge(3), PausingJudge(2)])
        assert pipeline.pause_seconds(SESSION) == 3

    def test_a_waiting_judge_is_waited_for(self):
        answer = Deferred()

        class SlowJudge(SilentJudge):
            async def message(self, session, envelope, content):
                return await answer

        asked = Deferred.fromCoroutine(JudgePipeline([SlowJudge()]).message(SESSION, ENVELOPE, CONTENT))
        self.assertNoResult(asked)
        answer.callback(Verdict(Disposition.REJECT, reply=NEVER))
        assert self.successResultOf(asked).reply == NEVER

    def test_who_ends_the_session_ends_the_question(self):
        answer = Deferred()

        class SlowJudge(SilentJudge):
            async def message(self, session, envelope, content):
                return await answer

        asked = Deferred.fromCoroutine(JudgePipeline([SlowJudge()]).message(SESSION, ENVELOPE, CONTENT))
        asked.cancel()
        self.failureResultOf(asked, CancelledError)


@pytest.mark.row(66)
class BrokenJudgeTests(SynchronousTestCase):
    """Row 66: whatever a judge raises, its message alone is deferred, and the log names the judge."""

    def ask(self, *judges):
        events = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        pipeline = JudgePipeline(judges)
        verdict = self.successResultOf(Deferred.fromCoroutine(pipeline.message(SESSION, ENVELOPE, CONTENT)))
        return verdict, [event for event in events if event["log_level"] is LogLevel.critical]

    def test_it_defers_and_is_logged(self):
        for error in (
            ValueError("secret"),
            RecursionError(),
            MemoryError(),
            UnicodeDecodeError("a", b"", 0, 1, ""),
        ):
            verdict, events = self.ask(FixedJudge("broken", error))
            assert verdict == Verdict(Disposition.DEFER, "broken: failed at message", LOCAL_ERROR)
            assert [(event["judge"], event["step"]) for event in events] == [("broken", "message")]
            assert len(self.flushLoggedErrors(type(error))) == 1

    def test_the_others_are_still_asked(self):
        verdict, _events = self.ask(FixedJudge("broken", ValueError()), reject())
        assert verdict.reply == NEVER
        self.flushLoggedErrors(ValueError)

    def test_an_answer_that_is_no_verdict(self):
        verdict, events = self.ask(FixedJudge("broken", None))
        assert verdict.reply == LOCAL_ERROR
        assert len(events) == 1
        self.flushLoggedErrors(TypeError)


class ReportTests(SynchronousTestCase):
    """What each judge said is kept, for who asks later what was checked."""

    def checked(self, *judges):
        pipeline = JudgePipeline(judges)
        coroutine = pipeline.message(SESSION, ENVELOPE, CONTENT)
        return self.successResultOf(Deferred.fromCoroutine(coroutine)).checked

    def test_who_accepts_is_named_too(self):
        kind = FixedJudge("kind", ACCEPT)
        knowing = FixedJudge("knowing", Verdict(Disposition.ACCEPT, "3 hops"))
        assert self.checked(kind, kind) == ("kind: accept", "kind: accept")
        assert self.checked(knowing, kind, junk()) == (
            "knowing: accept (3 hops)",
            "kind: accept",
            "junk: junk (looks odd)",
        )

    def test_who_was_not_asked_or_has_no_say_is_not_named(self):
        assert self.checked(SilentJudge(), reject(), junk()) == ("never: reject (is bad)",)
        assert self.checked(SilentJudge()) == ()

    def test_when_all_accept_nothing_is_made(self):
        pipeline = JudgePipeline([FixedJudge("kind", ACCEPT)])
        ask = lambda: self.successResultOf(  # noqa: E731
            Deferred.fromCoroutine(pipeline.message(SESSION, ENVELOPE, CONTENT))
        )
        assert ask() is ask()
