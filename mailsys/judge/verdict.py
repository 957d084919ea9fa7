"""The last of the judges: lets the policy decide, and writes down what was found out and decided."""

from __future__ import annotations

from dataclasses import replace

from mailsys.interfaces import (
    ACCEPT,
    DirectoryUnavailable,
    Disposition,
    Finding,
    ISenderHistory,
    ISenders,
    Session,
    Verdict,
)
from mailsys.judge.forwarders import Forwarders
from mailsys.judge.policy import Case, Decision, decide
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import parse_address
from mailsys.message.authentication_results import rendered
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.reply import LOCAL_ERROR

METHODS = ("dnswl", "iprev", "spf", "dkim", "arc", "dmarc")  # in the order in which they are written
POLICY = "policy"


class FinalVerdict(SilentJudge):
    """``hostname`` is ours, as it stands in Authentication-Results."""

    name = POLICY

    def __init__(
        self, hostname: str, forwarders: Forwarders, history: ISenderHistory, senders: ISenders
    ) -> None:
        self._hostname = hostname
        self._forwarders = forwarders
        self._history = history
        self._senders = senders

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """What the policy says, with the header lines for a message that is taken."""
        if not session.findings:
            return ACCEPT
        try:
            decision = await self._decide(session, envelope)
        except DirectoryUnavailable as error:
            reason = f"whether its author is one of ours cannot be looked up: {error}"
            return Verdict(Disposition.DEFER, reason, LOCAL_ERROR)
        headers = (results_field(self._hostname, session, smtputf8=envelope.smtputf8),)
        return Verdict(
            decision.disposition, decision.reason, decision.reply, headers, stays_here=decision.stays_here
        )

    async def _decide(self, session: Session, envelope: Envelope) -> Decision:
        """Only where something speaks against a sender is it asked whether it is known."""
        is_ours = await self._is_from_ours(session)
        case = Case(session.findings, self._forwarders.brought(session), is_ours=is_ours)
        decision = decide(case)
        if decision.disposition is Disposition.ACCEPT:
            return decision
        known = replace(
            case,
            is_known=await self._history.knows(session, envelope.reverse_path, envelope.recipients),
            is_known_from_list=case.is_from_list
            and await self._history.knows_from_list(session, envelope.recipients),
        )
        return decide(known)

    async def _is_from_ours(self, session: Session) -> bool:
        """Is the author's domain ours?  Only asked where DMARC does not pass."""
        dmarc = next(iter(session.findings.get("dmarc", ())), None)
        if dmarc is None or dmarc.passes or not dmarc.detail.get("author"):
            return False
        return await self._senders.is_ours(parse_address(dmarc.detail["author"]).domain)


def results_field(hostname: str, session: Session, *, smtputf8: bool) -> bytes:
    """Authentication-Results (RFC 8601) with all findings about the message."""
    found = [one for method in METHODS for one in session.findings.get(method, ())]
    return rendered(hostname, [_result(one) for one in found], smtputf8=smtputf8)


def _result(finding: Finding) -> tuple[str, list[tuple[str, str]]]:
    """RFC 8601 2.2: the reason comes first.  A plain pass needs none."""
    reason = [("reason", finding.reason)] if finding.reason and not finding.passes else []
    return f"{finding.method}={finding.result}", [*reason, *finding.properties]
