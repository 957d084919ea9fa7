"""One attempt to deliver a message: by next hop, from host to host, with an outcome for each recipient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from twisted.internet.defer import CancelledError, DeferredSemaphore, gatherResults
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.config.nexthop import MX, NextHop
from mailsys.interfaces import Attempt, IDelivery, IWorkers
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Failed, Step, outcome_of
from mailsys.send import trouble
from mailsys.send.body import load
from mailsys.send.dialogue import Dialogue
from mailsys.send.exchange import Exchanges
from mailsys.send.handover import Handover, Stale
from mailsys.send.host import Host
from mailsys.send.kept import KeptDialogues
from mailsys.send.opening import Opener
from mailsys.send.routes import Relay, Routes
from mailsys.send.trouble import Trouble

SESSIONS = 2  # RFC 5321 5.1: so many hosts may say "later" before the queue waits
AT_ONCE = 10  # next hops of one message

log = Logger(namespace="mailsys.send")


class Hosts(Protocol):
    """Where to go, the best first."""

    async def next_hosts(self) -> list[Host]:
        """Return the next ones, all equally good; none when there are no more.  Raises Trouble."""


@implementer(IDelivery)
class Delivery:
    """Made anew when the configuration changes; ``kept`` may serve one after the other."""

    def __init__(
        self, routes: Routes, exchanges: Exchanges, opener: Opener, kept: KeptDialogues, workers: IWorkers
    ) -> None:
        self._routes = routes
        self._exchanges = exchanges
        self._opener = opener
        self._kept = kept
        self._workers = workers

    async def deliver(
        self, envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        """Try once for each."""
        try:
            content = await load(content, self._workers)
        except OSError as error:
            words = f"{trouble.UNREADABLE.text}: {error.strerror or error}"
            return _same(recipients, Trouble(Step.MAIL, trouble.UNREADABLE.with_text(words)))
        handover = Handover(envelope, content, self._workers)
        groups = self._groups(recipients)
        if len(groups) == 1:
            ((place, members),) = groups.items()
            return await self._deliver_group(handover, *place, members)
        turns = DeferredSemaphore(AT_ONCE)
        done = await gatherResults(
            [
                turns.run(self._deliver_group, handover, hop, domain, members)
                for (hop, domain), members in groups.items()
            ]
        )
        return {recipient: attempt for part in done for recipient, attempt in part.items()}

    def _groups(self, recipients: Sequence[Address]) -> dict[tuple[NextHop, str], list[Address]]:
        """Those who go the same way: over the same route, or to the same domain's MX."""
        groups: dict[tuple[NextHop, str], list[Address]] = {}
        for recipient in recipients:
            hop = self._routes.next_hop(recipient.domain)
            groups.setdefault((hop, recipient.domain if hop == MX else ""), []).append(recipient)
        return groups

    async def _deliver_group(
        self, handover: Handover, hop: NextHop, domain: str, recipients: Sequence[Address]
    ) -> dict[Address, Attempt]:
        progress = _Progress(recipients)
        try:
            await self._try_hosts(progress, handover, await self._hosts(hop, domain))
        except Trouble as nowhere:
            progress.add(_same(progress.left, nowhere))
        except CancelledError:
            raise
        except Exception:
            log.failure("Delivery of {id} broke", id=handover.envelope.id)
        untold = [one for one in recipients if one not in progress.attempts]
        progress.add(_same(untold, Trouble(Step.ROUTE, trouble.BROKEN_HERE)))
        return progress.attempts

    async def _hosts(self, hop: NextHop, domain: str) -> Hosts:
        if hop == MX:
            return await self._exchanges.search(domain)
        try:
            login = await self._workers.run(self._routes.login, hop) if hop.user else None
        except OSError as error:
            words = f"The password for {hop} cannot be read: {error.strerror or error}"
            raise Trouble(Step.LOGIN, trouble.NOT_LOGGED_IN.with_text(words)) from None
        return Relay(self._exchanges.resolver, self._exchanges.own, hop, login)

    async def _try_hosts(self, progress: _Progress, handover: Handover, hosts: Hosts) -> None:
        sessions = 0
        while progress.left and (group := await hosts.next_hosts()):
            for host in group:
                had_session = await self._try_host(progress, handover, host)
                sessions += had_session
                if not progress.left or sessions >= SESSIONS:
                    return

    async def _try_host(self, progress: _Progress, handover: Handover, host: Host) -> bool:
        """Return whether there was a session in which recipients were answered."""
        waiting = list(progress.left)
        had_session = False
        while waiting:
            try:
                attempts = await self._hand_over(handover, host, waiting)
            except Trouble as failed:
                progress.add(_same(waiting, failed))
                break
            progress.add(attempts)
            had_session = bool(attempts)
            waiting = [one for one in waiting if one not in attempts] if attempts else []
        return had_session

    async def _hand_over(
        self, handover: Handover, host: Host, recipients: Sequence[Address]
    ) -> dict[Address, Attempt]:
        """Over a connection that is kept, or a new one."""
        while (dialogue := self._kept.take(host)) is not None:
            try:
                return await self._over(dialogue, handover, recipients)
            except Stale:
                continue
        return await self._over(await self._opener.open(host), handover, recipients)

    async def _over(
        self, dialogue: Dialogue, handover: Handover, recipients: Sequence[Address]
    ) -> dict[Address, Attempt]:
        try:
            attempts = await handover.run(dialogue, recipients)
        except BaseException:
            dialogue.abort()
            raise
        self._kept.keep(dialogue)
        return attempts


class _Progress:
    """The attempts so far, each recipient's most telling, and who may be tried at another host."""

    def __init__(self, recipients: Sequence[Address]) -> None:
        self.attempts: dict[Address, Attempt] = {}
        self.left = list(recipients)

    def add(self, attempts: Mapping[Address, Attempt]) -> None:
        """Take what came of one session."""
        for recipient, attempt in attempts.items():
            before = self.attempts.get(recipient)
            self.attempts[recipient] = attempt if before is None else _more_telling(before, attempt)
        self.left = [one for one in self.left if one not in self.attempts or _may_go_on(self.attempts[one])]


_STEPS = list(Step)


def _may_go_on(attempt: Attempt) -> bool:
    """Is there a point in another host?  Not where the first may have taken the message already."""
    if isinstance(attempt.outcome, Failed):
        return attempt.step in (Step.GREETING, Step.HELLO)  # that host wants nothing of us; another may
    return isinstance(attempt.outcome, Deferred) and not attempt.is_uncertain


def _more_telling(before: Attempt, now: Attempt) -> Attempt:
    """What a second host said instead of the first, unless the first said more.

    "Later" from one host outweighs the "never" of another that did not even look at the message.
    """
    if not _may_go_on(now):
        return now
    if isinstance(before.outcome, Deferred) != isinstance(now.outcome, Deferred):
        return before if isinstance(before.outcome, Deferred) else now
    return before if _STEPS.index(before.step) > _STEPS.index(now.step) else now


def _same(recipients: Sequence[Address], why: Trouble) -> dict[Address, Attempt]:
    """The same for all."""
    attempt = Attempt(outcome_of(why.reply, ""), why.step, why.remote, why.tls, why.said[:1000])
    return dict.fromkeys(recipients, attempt)
