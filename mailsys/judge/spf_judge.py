"""May this host send for the domain in MAIL, and for its name in HELO?  (RFC 7208 2.3 and 2.4.)

Only the results are noted here; the policy says what follows from them.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from twisted.internet.interfaces import IReactorTime

from mailsys.interfaces import ACCEPT, Disposition, Finding, IResolver, Session, Verdict
from mailsys.judge.bounded import within
from mailsys.judge.silent import SilentJudge
from mailsys.judge.spf.evaluation import Query, SPFResult, SPFWord, check_host
from mailsys.judge.strangers import Strangers
from mailsys.message.address import Address

SECONDS = 20.0  # RFC 7208 4.6.4: at least that for one evaluation


class SPFJudge(SilentJudge):
    """Asks for both identities; ``hostname`` is ours, ``now`` in seconds since 1970."""

    name = "spf"

    def __init__(
        self,
        hostname: str,
        resolver: IResolver,
        clock: IReactorTime,
        now: Callable[[], float],
        strangers: Strangers,
    ) -> None:
        self._hostname = hostname
        self._resolver = resolver
        self._clock = clock
        self._now = now
        self._strangers = strangers

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """Accept, and say what SPF says."""
        if not self._strangers.knows_not(session):
            return ACCEPT
        helo = session.greeting
        greeting = Address("postmaster", helo.lower())
        # RFC 7208 2.4: without a sender, the name in HELO stands for it.
        findings = []
        if reverse_path is not None:
            result = await self._check(session, reverse_path)
            findings.append(_finding(result, ("smtp.mailfrom", str(reverse_path))))
        if reverse_path is None or reverse_path.domain != greeting.domain:
            findings.append(_finding(await self._check(session, greeting), ("smtp.helo", helo)))
        session.findings["spf"] = tuple(findings)
        return Verdict(Disposition.ACCEPT, f"{findings[0].result}: {findings[0].reason}")

    async def _check(self, session: Session, sender: Address) -> SPFResult:
        address = ip_address(session.peer.host.partition("%")[0])
        query = Query(address, session.greeting, sender, self._hostname, self._now())
        try:
            return await within(SECONDS, self._clock, check_host(query, self._resolver))
        except TimeoutError:
            return SPFResult(SPFWord.TEMPERROR, sender.domain, f"DNS took over {SECONDS:.0f} seconds")


def _finding(result: SPFResult, about: tuple[str, str]) -> Finding:
    detail = {"explanation": result.explanation, "identity": about[0].partition(".")[2]}
    return Finding("spf", result.word.value, result.domain, result.reason, (about,), detail)
