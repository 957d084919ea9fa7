"""Which domains have signed the message?  (RFC 6376.)  Only noted here; the policy says what follows.

Who has sealed it on its way (ARC, RFC 8617) is noted as well, and nothing follows from that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.interfaces import IReactorTime

from mailsys.dkim.arc import ARCResult, has_chain, verify_arc
from mailsys.dkim.results import DKIMResult, Result
from mailsys.dkim.signed_header import read_signed_header
from mailsys.dkim.verify import verify
from mailsys.interfaces import ACCEPT, Disposition, Finding, IResolver, IWorkers, Session, Verdict
from mailsys.judge.bounded import within
from mailsys.judge.replays import MOST_COPIES, Replays
from mailsys.judge.silent import SilentJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.reply import LOCAL_ERROR

SECONDS = 30.0
_SHOWN_OF_SIGNATURE = 8  # RFC 6008 4: enough to tell the signatures of a message apart
_NO_SIGNATURE = Finding("dkim", "none", reason="there is no signature")
_TOO_SLOW = Finding("dkim", "temperror", reason=f"the signatures took over {SECONDS:.0f} seconds")


class DKIMJudge(SilentJudge):
    """Verifies all signatures; ``now`` is in seconds since 1970."""

    name = "dkim"

    def __init__(
        self,
        resolver: IResolver,
        clock: IReactorTime,
        now: Callable[[], float],
        workers: IWorkers,
        strangers: Strangers,
    ) -> None:
        self._resolver = resolver
        self._clock = clock
        self._now = now
        self._workers = workers
        self._strangers = strangers
        self._replays = Replays(now)

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """Accept, and say what became of each signature; defer what cannot be read back."""
        if not self._strangers.knows_not(session):
            return ACCEPT
        try:
            found, chain = await within(SECONDS, self._clock, self._verified(envelope, content))
        except TimeoutError:
            found, chain = (_TOO_SLOW,), ()
        except OSError as error:
            return Verdict(Disposition.DEFER, f"the message cannot be read: {error}", LOCAL_ERROR)
        session.findings["dkim"] = found
        if chain:
            session.findings["arc"] = chain
        return Verdict(Disposition.ACCEPT, "; ".join([_in_words(one) for one in found[:3]]))

    async def _verified(
        self, envelope: Envelope, content: Content
    ) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """The signatures, and the chain of seals if there is one."""
        header = read_signed_header(content)
        results = await verify(content, self._resolver, self._now(), self._workers, header)
        copies = len(envelope.recipients)
        found = tuple([_finding(self._unless_replayed(one, copies)) for one in results]) or (_NO_SIGNATURE,)
        if not has_chain(header):
            return found, ()
        return found, (_chain_finding(await verify_arc(content, header, self._resolver, self._workers)),)

    def _unless_replayed(self, result: DKIMResult, copies: int) -> DKIMResult:
        if result.result is not Result.PASS or not self._replays.note(result.signature, copies):
            return result
        reason = f"the same signature came for over {MOST_COPIES} recipients in a day"
        return replace(result, result=Result.POLICY, reason=reason)


def _chain_finding(result: ARCResult) -> Finding:
    """RFC 8617 8: header.oldest-pass is left out, since nothing here is built on it."""
    domain = result.sealers[-1] if result.sealers else ""
    about = (("header.d", domain),) if domain and result.result is Result.PASS else ()
    return Finding(
        "arc", result.result.value, domain, result.reason, about, {"sealers": " ".join(result.sealers)}
    )


def _finding(result: DKIMResult) -> Finding:
    known = (
        ("header.d", result.domain),
        ("header.i", result.identity if result.identity != f"@{result.domain}" else ""),
        ("header.s", result.selector),
        ("header.a", result.algorithm),
        ("header.b", result.signature[:_SHOWN_OF_SIGNATURE]),
    )
    return Finding(
        "dkim",
        result.result.value,
        result.domain,
        result.reason,
        tuple([(name, value) for name, value in known if value]),
        {"selector": result.selector},
    )


def _in_words(finding: Finding) -> str:
    about = f" for {finding.domain}" if finding.domain else ""
    return f"{finding.result}{about}" + (f" ({finding.reason})" if finding.reason else "")
