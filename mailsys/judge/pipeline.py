"""All judges as one: each is asked in order, and the weightiest verdict counts.

The order is the configuration's, cheap judges first.  A REJECT ends the round, since nothing can
outweigh it; a DEFER does not, since a later judge may reject for good.  Of equals the first counts.
The header lines of all that were asked are kept, whatever the verdict, and so is what each said.

A judge that raises hurts only its own message: that one is deferred, and the log says which judge.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import (
    ACCEPT,
    Disposition,
    IGreetingPause,
    IJudge,
    IJudgePipeline,
    Report,
    Session,
    Verdict,
)
from mailsys.judge.silent import SilentJudge
from mailsys.judge.verdict import POLICY
from mailsys.judge.verdict_field import verdict_field
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.reply import LOCAL_ERROR, Reply

_DEFERRED = Reply(451, "4.7.1", "Not accepted for the moment; try again later")
_REJECTED = Reply(550, "5.7.1", "Not accepted")

_STEPS = ("connection", "sender", "recipient", "message")

Question = Callable[[IJudge], Coroutine[Any, Any, Verdict]]


@implementer(IJudgePipeline)
class JudgePipeline:
    """The judges that the configuration names, in its order."""

    _log = Logger(namespace="mailsys.judge")

    def __init__(self, judges: Sequence[IJudge]) -> None:
        self._asked = {step: [judge for judge in judges if _has_a_say(judge, step)] for step in _STEPS}
        self._all_accept = {step: _all_accept(asked) for step, asked in self._asked.items()}
        self._pauses = tuple(judge for judge in judges if IGreetingPause.providedBy(judge))

    def pause_seconds(self, session: Session) -> float:
        """The longest pause that any judge wants."""
        return max((pause.pause_seconds(session) for pause in self._pauses), default=0.0)

    async def connection(self, session: Session) -> Verdict:
        """What all judges say of a connection."""
        return await self._ask("connection", lambda judge: judge.connection(session))

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """What all judges say of a reverse-path; what was found out for the one before is forgotten."""
        session.findings.clear()
        session.reverse_path = reverse_path
        return await self._ask("sender", lambda judge: judge.sender(session, reverse_path))

    async def recipient(self, session: Session, recipient: Address) -> Verdict:
        """What all judges say of a recipient."""
        return await self._ask("recipient", lambda judge: judge.recipient(session, recipient))

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """What all judges say of a message."""
        verdict = await self._ask("message", lambda judge: judge.message(session, envelope, content))
        field = verdict_field(verdict, POLICY)
        return replace(verdict, headers=(*verdict.headers, field)) if field else verdict

    async def _ask(self, step: str, question: Question) -> Verdict:
        verdicts: list[tuple[IJudge, Verdict]] = []
        is_plain = True
        for judge in self._asked[step]:
            verdict = await self._ask_one(judge, step, question)
            verdicts.append((judge, verdict))
            is_plain = is_plain and verdict is ACCEPT
            if verdict.disposition is Disposition.REJECT:
                break
        return self._all_accept[step] if is_plain else _weigh(verdicts)

    async def _ask_one(self, judge: IJudge, step: str, question: Question) -> Verdict:
        try:
            verdict = await question(judge)
            if not isinstance(verdict, Verdict):
                raise TypeError(f"{verdict!r} is no Verdict")
            return verdict
        except CancelledError:
            raise  # the session ends; that is no fault of the judge
        except Exception:
            self._log.failure("Judge {judge} failed at {step}", judge=judge.name, step=step)
            return Verdict(Disposition.DEFER, f"failed at {step}", LOCAL_ERROR)


def _has_a_say(judge: IJudge, step: str) -> bool:
    """Is there more at this step than the silence that judges begin from?"""
    return getattr(getattr(judge, step), "__func__", None) is not getattr(SilentJudge, step)


def _all_accept(judges: Sequence[IJudge]) -> Verdict:
    """Nearly always the outcome, so it is made once."""
    reports = [Report(judge.name, Disposition.ACCEPT) for judge in judges]
    return replace(ACCEPT, reports=tuple(reports)) if reports else ACCEPT


def _weigh(verdicts: Sequence[tuple[IJudge, Verdict]]) -> Verdict:
    judge, weightiest = max(verdicts, key=lambda said: said[1].disposition.value)
    weightiest = ACCEPT if weightiest.disposition is Disposition.ACCEPT else _told_by(judge, weightiest)
    return replace(
        weightiest,
        stays_here=any(verdict.stays_here for _, verdict in verdicts),
        headers=tuple([line for _, verdict in verdicts for line in verdict.headers]),
        reports=tuple([Report(judge.name, said.disposition, said.reason) for judge, said in verdicts]),
    )


def _told_by(judge: IJudge, verdict: Verdict) -> Verdict:
    """The verdict with the judge's name in its reason, its header lines apart, and a reply that fits."""
    reason = f"{judge.name}: {verdict.reason}" if verdict.reason else judge.name
    return Verdict(verdict.disposition, reason, _fitting_reply(verdict))


def _fitting_reply(verdict: Verdict) -> Reply | None:
    """The judge's reply if it says what the verdict says; otherwise a plain one."""
    if verdict.disposition is Disposition.DEFER:
        return verdict.reply if verdict.reply and verdict.reply.is_transient else _DEFERRED
    if verdict.disposition is Disposition.REJECT:
        return verdict.reply if verdict.reply and verdict.reply.is_permanent else _REJECTED
    return None
