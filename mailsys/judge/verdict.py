"""The last of the judges: lets the policy decide, and writes down what was found out and decided."""

from __future__ import annotations

from dataclasses import replace

from mailsys.interfaces import ACCEPT, Disposition, Finding, ISenderHistory, Session, Verdict
from mailsys.judge.forwarders import Forwarders
from mailsys.judge.policy import Case, Decision, decide
from mailsys.judge.silent import SilentJudge
from mailsys.message.authentication_results import rendered
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope

METHODS = ("dnswl", "iprev", "spf", "dkim", "arc", "dmarc")  # in the order in which they are written
POLICY = "policy"


class FinalVerdict(SilentJudge):
    """``hostname`` is ours, as it stands in Authentication-Results."""

    name = POLICY

    def __init__(self, hostname: str, forwarders: Forwarders, history: ISenderHistory) -> None:
        self._hostname = hostname
        self._forwarders = forwarders
        self._history = history

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """What the policy says, with the header lines for a message that is taken."""
        if not session.findings:
            return ACCEPT
        decision = await self._decide(session, envelope)
        headers = (results_field(self._hostname, session, smtputf8=envelope.smtputf8),)
        return Verdict(decision.disposition, decision.reason, decision.reply, headers)

    async def _decide(self, session: Session, envelope: Envelope) -> Decision:
        """Only where something speaks against a sender is it asked whether it is known."""
        case = Case(session.findings, self._forwarders.brought(session))
        decision = decide(case)
        if decision.disposition is Disposition.ACCEPT:
            return decision
        is_known = await self._history.knows(session, envelope.reverse_path, envelope.recipients)
        return decide(replace(case, is_known=True)) if is_known else decision


def results_field(hostname: str, session: Session, *, smtputf8: bool) -> bytes:
    """Authentication-Results (RFC 8601) with all findings about the message."""
    found = [one for method in METHODS for one in session.findings.get(method, ())]
    return rendered(hostname, [_result(one) for one in found], smtputf8=smtputf8)


def _result(finding: Finding) -> tuple[str, list[tuple[str, str]]]:
    """RFC 8601 2.2: the reason comes first.  A plain pass needs none."""
    reason = [("reason", finding.reason)] if finding.reason and not finding.passes else []
    return f"{finding.method}={finding.result}", [*reason, *finding.properties]
