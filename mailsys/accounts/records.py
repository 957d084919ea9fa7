"""What is kept of logins: in the journal, and in the history by which an account knows its networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.logger import Logger

from mailsys.accounts.guessing.guard import Block, Claimant
from mailsys.accounts.guessing.networks import network_of
from mailsys.accounts.history.history import LoginHistory
from mailsys.accounts.history.rows import Failures, Seen, StoredBlock
from mailsys.interfaces import IJournal, Session
from mailsys.journal import events
from mailsys.journal.printable import bounded, printable
from mailsys.message.address import Address

NAME_CHARACTERS = 320
SHOWN_CHARACTERS = 100

log = Logger(namespace="mailsys.accounts")


@dataclass(frozen=True, slots=True)
class Failed:
    """One failed login; ``has_account``: there is an account of the claimant's name."""

    claimant: Claimant
    name: str
    mechanism: str
    why: str
    has_account: bool
    blocks: tuple[Block, ...] = ()


class LoginRecords:
    """``now`` is in seconds since 1970."""

    def __init__(self, journal: IJournal, history: LoginHistory, now: Callable[[], float]) -> None:
        self._journal = journal
        self._history = history
        self._now = now

    def claimant(self, name: str, address: Address | None, host: str) -> Claimant:
        """Somebody who says to be ``name``: does that account know where he comes from?"""
        network = network_of(host)
        full_name = str(address) if address else name[:NAME_CHARACTERS].casefold()
        return Claimant(full_name, host, network, self._history.is_known(full_name, network))

    def succeeded(self, session: Session, name: str, claimant: Claimant, mechanism: str) -> None:
        """Somebody is in."""
        now = self._now()
        self._journal.record(events.login(session, name, True, now, mechanism=mechanism))
        self._history.succeeded(
            Seen(
                account=str(session.login),
                network=claimant.network,
                service=session.peer.service,
                first=now,
                last=now,
                logins=1,
                address=claimant.host,
                mechanism=mechanism,
                tls=session.tls.partition(" ")[0],
                program=_shown(session.greeting),
            )
        )

    def failed(self, session: Session, failed: Failed) -> None:
        """Somebody is not."""
        now, claimant = self._now(), failed.claimant
        account = claimant.name if failed.has_account else ""
        event = events.login(session, failed.name, False, now, mechanism=failed.mechanism, why=failed.why)
        self._journal.record(event)
        self._history.failed(
            Failures(
                account=account,
                network=claimant.network,
                service=session.peer.service,
                why=_shown(failed.why),
                first=now,
                last=now,
                failures=1,
                address=claimant.host,
                mechanism=failed.mechanism,
                name=_shown(claimant.name),
            )
        )
        for block in failed.blocks:
            self._blocked(block, failed)

    def _blocked(self, block: Block, failed: Failed) -> None:
        log.warn(
            "Too many wrong passwords: {kind} {subject} is blocked for {minutes} minutes",
            kind=block.kind,
            subject=_shown(block.subject),
            minutes=round(block.seconds / 60),
        )
        if block.kind != "account" or failed.has_account:
            now = self._now()
            name = _shown(failed.claimant.name)
            self._history.blocked(StoredBlock(block.kind, block.subject, now, now + block.seconds, name))


def _shown(text: str) -> str:
    return printable(bounded(text, SHOWN_CHARACTERS))
