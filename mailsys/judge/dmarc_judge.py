"""Does the domain in From vouch for the message?  (RFC 9989.)  Runs after ``spf`` and ``dkim``."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from mailsys.interfaces import ACCEPT, Disposition, Finding, IResolver, Session, Verdict
from mailsys.judge.author import author_of, is_from_list
from mailsys.judge.bounded import within
from mailsys.judge.dmarc.evaluation import DMARCResult, Identifier, evaluate
from mailsys.judge.silent import SilentJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.headers import read_headers
from mailsys.message.reply import LOCAL_ERROR

SECONDS = 30.0
_NO_AUTHOR = Finding("dmarc", "permerror", reason="the From field does not name exactly one address")


class DMARCJudge(SilentJudge):
    """Notes the result, and what the domain wants done."""

    name = "dmarc"

    def __init__(self, resolver: IResolver, clock: IReactorTime, strangers: Strangers) -> None:
        self._resolver = resolver
        self._clock = clock
        self._strangers = strangers

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """Accept, and say what DMARC says; defer what cannot be read back."""
        if not self._strangers.knows_not(session):
            return ACCEPT
        try:
            headers = read_headers(content)
        except OSError as error:
            return Verdict(Disposition.DEFER, f"the message cannot be read: {error}", LOCAL_ERROR)
        author = author_of(headers)
        if author is None:
            finding = _NO_AUTHOR
        else:
            result = await self._evaluated(author.domain, session)
            finding = _finding(result, str(author), is_list=is_from_list(headers))
        session.findings["dmarc"] = (finding,)
        return Verdict(Disposition.ACCEPT, f"{finding.result}: {finding.reason}")

    async def _evaluated(self, domain: str, session: Session) -> DMARCResult:
        if domain.startswith("["):
            return DMARCResult("none", domain, reason="From has an address literal and no domain")
        try:
            asked = evaluate(domain, _identifiers(session), self._resolver)
            return await within(SECONDS, self._clock, asked)
        except TimeoutError:
            return DMARCResult("temperror", domain, reason=f"DNS took over {SECONDS:.0f} seconds")


def _identifiers(session: Session) -> Sequence[Identifier]:
    """What passed, each once; of SPF the sender alone (RFC 9989 4.4.2), and not the name in HELO."""
    findings = [*session.findings.get("dkim", ()), *session.findings.get("spf", ())[:1]]
    found = [
        Identifier(one.method, one.domain, one.passes)
        for one in findings
        if one.domain and one.result in ("pass", "temperror")
    ]
    return sorted(dict.fromkeys(found), key=lambda one: not one.passed)


def _finding(result: DMARCResult, author: str, *, is_list: bool) -> Finding:
    policy = result.policy.word if result.policy is not None else ""
    detail = {"policy": policy, "author": author}
    if result.published_by:
        detail["published_by"] = result.published_by
    if is_list:
        detail["list"] = "yes"
    about = [("header.from", result.domain)]
    if result.policy is not None:
        about.append(("policy.dmarc", result.policy.word))
    return Finding("dmarc", result.word, result.domain, result.reason, tuple(about), detail)
