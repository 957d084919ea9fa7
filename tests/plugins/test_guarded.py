"""A judge, router, source of accounts, checker, delivery or header writer that fails, each in its own way."""

from types import SimpleNamespace

import pytest
from plugin_house import ANN, BOB, CONTENT, ENVELOPE, STRANGER, guard_of, result_of
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from mailsys.extensions.checker import GuardedChecker
from mailsys.extensions.delivery import GuardedDelivery
from mailsys.extensions.headers import GuardedHeaderWriters
from mailsys.extensions.judge import GuardedJudge
from mailsys.extensions.router import GuardedAccounts, GuardedRouter
from mailsys.interfaces import (
    ACCEPT,
    Account,
    Attempt,
    DirectoryUnavailable,
    Disposition,
    IAccounts,
    IDelivery,
    IGreetingPause,
    IHeaderWriter,
    IJudge,
    IRouter,
    LoginUnavailable,
    PluginFailed,
    Refused,
    ToDelivery,
    ToMailboxes,
    Verdict,
)
from mailsys.judge.pipeline import JudgePipeline
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import Address
from mailsys.message.outcome import Deferred as DeferredOutcome
from mailsys.message.outcome import Delivered, Failed, Step
from mailsys.message.reply import LOCAL_ERROR, NO_SUCH_USER, OK, Reply

HUGE = 10**5000


def answering(name, answer):
    """An object whose coroutine of this name returns the answer, or raises it."""

    async def method(*arguments):
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(**{name: method})


# ---------------------------------------------------------------------- judges


def test_a_judge_that_speaks_well_is_heard():
    verdict = Verdict(Disposition.JUNK, "it sings", headers=(b"X-Song: la\r\n",))
    guarded = GuardedJudge(answering("message", verdict), guard_of())
    assert verifyObject(IJudge, guarded)
    assert result_of(guarded.message(STRANGER, ENVELOPE, CONTENT)) is verdict


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "answer",
    [
        RecursionError(),
        MemoryError(),
        None,
        "accept",
        Verdict("accept"),
        Verdict(Disposition.REJECT, reply="550 no"),
        Verdict(Disposition.REJECT, reply=Reply(HUGE, "5.7.1", "no")),
        Verdict(Disposition.REJECT, reply=Reply(550, "5.7.1\r\n250 OK", "no")),
        Verdict(Disposition.REJECT, reason="x" * 10_000),
        Verdict(Disposition.ACCEPT, headers=(b"X-Bad: one\r\nX-Worse two\r\n",)),
        Verdict(Disposition.ACCEPT, headers=(b"X-Bad: one",)),
        Verdict(Disposition.ACCEPT, headers=(b"X-Bad: one\r\n\r\nbody\r\n",)),
        Verdict(Disposition.ACCEPT, headers=(b"X-Long: " + b"x" * 1000 + b"\r\n",)),
        Verdict(Disposition.ACCEPT, headers="X-Bad: one\r\n"),
    ],
    ids=lambda answer: type(answer).__name__,  # pytest cannot write an int of 5,000 digits
)
def test_a_judge_that_fails_puts_off_its_message_and_is_named(answer):
    pipeline = JudgePipeline([SilentJudge(), GuardedJudge(answering("message", answer), guard_of())])
    verdict = result_of(pipeline.message(STRANGER, ENVELOPE, CONTENT))
    assert (verdict.disposition, verdict.reply) == (Disposition.DEFER, LOCAL_ERROR)
    assert verdict.reason.startswith("acme: the plugin acme failed at message: ")
    assert verdict.headers == ()
    assert any("acme" in said for said in verdict.checked)


@pytest.mark.row(66)
def test_a_judge_that_hangs_puts_off_its_message_at_the_deadline():
    clock = Clock()
    hanging = SimpleNamespace(message=lambda *arguments: Deferred())
    outcome = []
    asked = GuardedJudge(hanging, guard_of(clock=clock)).message(STRANGER, ENVELOPE, CONTENT)
    Deferred.fromCoroutine(asked).addBoth(outcome.append)
    clock.advance(30)
    assert outcome[0].disposition is Disposition.DEFER
    assert "did not answer in 30 s" in outcome[0].reason


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(2, 2.0), (1e9, 30.0), (-1, 0.0), (float("nan"), 0.0), ("long", 0.0), (HUGE, 0.0)],
    ids=lambda value: type(value).__name__,
)
def test_a_pause_is_within_reason(said, seconds):
    judge = SimpleNamespace(pause_seconds=lambda session: said)
    directlyProvides(judge, IGreetingPause)
    assert GuardedJudge(judge, guard_of()).pause_seconds(STRANGER) == seconds


def test_a_judge_without_a_wish_for_a_pause_has_none():
    assert GuardedJudge(SilentJudge(), guard_of()).pause_seconds(STRANGER) == 0.0


# ---------------------------------------------------------------------- routers and accounts


@pytest.mark.parametrize(
    "route",
    [
        None,
        ToMailboxes((Account(ANN),), ("so",)),
        ToMailboxes((), outside=(ANN,)),
        ToDelivery("pipe"),
        Refused(NO_SUCH_USER, ("not here",)),
    ],
)
def test_a_route_passes(route):
    guarded = GuardedRouter(answering("route", route), guard_of())
    assert verifyObject(IRouter, guarded)
    assert result_of(guarded.route(ANN)) is route


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "answer",
    [
        MemoryError(),
        "ann@example.org",
        ToMailboxes(()),
        ToMailboxes((Account(ANN),), outside=[ANN]),
        ToMailboxes((), outside=("ann@example.org",)),
        ToMailboxes([Account(ANN)]),
        ToMailboxes((ANN,)),
        ToMailboxes((Account(Address("../ann", "example.org\0")),)),
        ToMailboxes((Account(Address("ANN", "example.org")),)),
        ToMailboxes((Account(ANN, quota_bytes="2G"),)),
        ToMailboxes((Account(ANN),), via="words"),
        ToDelivery(None),
        Refused(OK),
        Refused("no"),
    ],
)
def test_a_router_that_fails_says_that_nothing_can_be_looked_up(answer):
    with pytest.raises(DirectoryUnavailable, match="the plugin acme failed at route: "):
        result_of(GuardedRouter(answering("route", answer), guard_of()).route(ANN))


def test_what_a_router_declares_passes():
    with pytest.raises(DirectoryUnavailable, match=r"^the database is away$"):
        result_of(
            GuardedRouter(answering("route", DirectoryUnavailable("the database is away")), guard_of()).route(
                ANN
            )
        )


@pytest.mark.row(66)
@pytest.mark.parametrize("answer", [RecursionError(), 7, Account(BOB), Account("ann@example.org")])
def test_accounts_that_fail_say_that_nothing_can_be_looked_up(answer):
    with pytest.raises(DirectoryUnavailable, match="the plugin acme failed at account: "):
        result_of(GuardedAccounts(answering("account", answer), guard_of()).account(ANN))


@pytest.mark.parametrize("answer", [None, Account(ANN, 100, active=False)])
def test_an_account_or_none_passes(answer):
    guarded = GuardedAccounts(answering("account", answer), guard_of())
    assert verifyObject(IAccounts, guarded)
    assert result_of(guarded.account(ANN)) is answer


# ---------------------------------------------------------------------- passwords


def checked(answer):
    checker = SimpleNamespace(
        credentialInterfaces=(IUsernamePassword,), requestAvatarId=lambda credentials: answer
    )
    guarded = GuardedChecker(checker, guard_of())
    assert verifyObject(ICredentialsChecker, guarded)

    async def ask():
        return await guarded.requestAvatarId(UsernamePassword(b"ann@example.org", b"secret"))

    return result_of(ask())


def test_a_password_that_is_right():
    assert checked(succeed(b"ann@example.org")) == b"ann@example.org"
    assert checked(b"ann@example.org") == b"ann@example.org"


def test_a_password_that_is_wrong():
    with pytest.raises(UnauthorizedLogin):
        checked(fail(UnauthorizedLogin()))


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "answer", [fail(MemoryError()), None, (), "ann@example.org", b"ann", b"ANN@example.org", b"\xff@x"]
)
def test_a_checker_that_fails_lets_nobody_in(answer):
    with pytest.raises(LoginUnavailable, match="the plugin acme failed at requestAvatarId: "):
        checked(answer)


# ---------------------------------------------------------------------- deliveries and header lines


def test_attempts_pass():
    attempts = {
        ANN: Attempt(Delivered("there"), Step.MESSAGE),
        BOB: Attempt(Failed(NO_SUCH_USER), Step.RCPT),
    }
    guarded = GuardedDelivery(answering("deliver", attempts), guard_of())
    assert verifyObject(IDelivery, guarded)
    assert result_of(guarded.deliver(ENVELOPE, CONTENT, (ANN, BOB))) is attempts


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "answer",
    [
        RecursionError(),
        None,
        {},
        {ANN: Delivered("there")},
        {ANN: Attempt(Delivered("there"), Step.MESSAGE), BOB: Attempt(Delivered("?"), Step.MESSAGE)},
        {ANN: Attempt("done", Step.MESSAGE)},
        {ANN: Attempt(DeferredOutcome(OK), Step.MESSAGE)},
        {ANN: Attempt(Failed(LOCAL_ERROR), Step.MESSAGE)},
    ],
)
def test_a_delivery_that_fails_is_tried_again(answer):
    attempts = result_of(
        GuardedDelivery(answering("deliver", answer), guard_of()).deliver(ENVELOPE, CONTENT, (ANN,))
    )
    assert attempts[ANN].outcome == DeferredOutcome(LOCAL_ERROR)
    assert attempts[ANN].said.startswith("the plugin acme failed at deliver: ")
    assert attempts[ANN].is_uncertain


def test_the_lines_of_all_writers_in_their_order():
    writers = [
        (answering("lines", [b"A: 1\r\n", b"B: 2\r\n folded\r\n"]), guard_of("one")),
        (answering("lines", ()), guard_of("two")),
        (answering("lines", ("C: ü\r\n".encode(),)), guard_of("three")),
    ]
    guarded = GuardedHeaderWriters(writers)
    assert verifyObject(IHeaderWriter, guarded)
    assert result_of(guarded.lines(ENVELOPE, CONTENT)) == [
        b"A: 1\r\n", b"B: 2\r\n folded\r\n", "C: ü\r\n".encode()
    ]  # fmt: skip


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "answer",
    [
        MemoryError(),
        None,
        b"A: 1\r\n",
        ["A: 1\r\n"],
        [b"A: 1\n"],
        [b"A 1\r\n"],
        [b"A: \xff\r\n"],
        [b"A: 1\r\n"] * 20_000,
    ],
)
def test_a_writer_that_fails_is_named(answer):
    with pytest.raises(PluginFailed, match="the plugin acme failed at lines: "):
        result_of(GuardedHeaderWriters([(answering("lines", answer), guard_of())]).lines(ENVELOPE, CONTENT))


def test_an_accepting_verdict_of_everybody_is_the_same_object():
    """Nothing is copied where there is nothing to say: every message pays for this."""
    guarded = GuardedJudge(SilentJudge(), guard_of())
    assert result_of(guarded.connection(STRANGER)) is ACCEPT
