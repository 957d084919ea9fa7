"""What is kept of logins: for the journal, and so that an account knows its networks again."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.accounts.guessing.guard import Block, Claimant
from mailsys.accounts.guessing.networks import network_of
from mailsys.interfaces import IJournal, Session
from mailsys.journal import events
from mailsys.message.address import Address

NAME_CHARACTERS = 320


class LoginRecords:
    """``now`` is in seconds since 1970."""

    def __init__(self, journal: IJournal, now: Callable[[], float]) -> None:
        self._journal = journal
        self._now = now

    def claimant(self, name: str, address: Address | None, host: str) -> Claimant:
        """Somebody who says to be ``name``: does that account know where he comes from?"""
        return Claimant(name[:NAME_CHARACTERS].casefold(), host, network_of(host), False)

    def succeeded(self, session: Session, name: str, claimant: Claimant, mechanism: str) -> None:
        """Somebody is in."""
        self._journal.record(events.login(session, name, True, self._now(), mechanism=mechanism))

    def failed(
        self,
        session: Session,
        name: str,
        claimant: Claimant,
        mechanism: str,
        why: str,
        blocks: tuple[Block, ...],
    ) -> None:
        """Somebody is not."""
        self._journal.record(events.login(session, name, False, self._now(), mechanism=mechanism, why=why))
