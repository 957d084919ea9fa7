"""All that decides over logins, built and introduced: stored passwords, counts, history, decoys."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.logger import Logger

from mailsys.accounts.attempt import Desk
from mailsys.accounts.checker import StoredPasswords
from mailsys.accounts.directory import Directory
from mailsys.accounts.guessing.guard import Block, Guard, Rules
from mailsys.accounts.guessing.turns import Turns
from mailsys.accounts.hashing import HashingQueue
from mailsys.accounts.history.file import FILE_NAME
from mailsys.accounts.history.history import LoginHistory
from mailsys.accounts.history.rows import Request
from mailsys.accounts.logins import Logins
from mailsys.accounts.portal import open_portal
from mailsys.accounts.recent import RecentLogins
from mailsys.accounts.records import LoginRecords
from mailsys.accounts.scram import Decoys
from mailsys.accounts.sources import DirectoryWithSources
from mailsys.config.schema import Auth
from mailsys.interfaces import IAccounts, IJournal, IWorkers

log = Logger(namespace="mailsys.accounts")


class Gate:
    """One for a host: what it counts outlives a change of the settings.

    ``path`` is of the accounts; ``hashing`` computes ``at_once`` hashes at one time.  ``start`` and
    ``stop`` it once.
    """

    def __init__(
        self,
        path: str,
        directory: Directory,
        journal: IJournal,
        *,
        reactor: Any,
        hashing: IWorkers,
        at_once: int,
        files: IWorkers,
    ) -> None:
        self._directory = directory
        self._clock = reactor
        recent = RecentLogins(reactor, secrets.token_bytes(32))
        self._stored = StoredPasswords(directory, path, HashingQueue(hashing, at_once), recent)
        self._guard = Guard(time.monotonic, secrets.token_bytes(32), Rules())
        self._turns = Turns(reactor, secrets.randbelow)
        self._decoys = Decoys(secrets.token_bytes(32))
        where = os.path.join(os.path.dirname(path), FILE_NAME)
        self._history = LoginHistory(where, files, reactor, time.time, self._heed)
        self._records = LoginRecords(journal, self._history, time.time)

    def logins(
        self, auth: Auth, sources: Sequence[IAccounts], checkers: Sequence[ICredentialsChecker]
    ) -> Logins:
        """Logins by these settings, with accounts and checkers from elsewhere beside our own."""
        self._guard.rules = rules_of(auth)
        accounts = DirectoryWithSources(self._directory, sources)
        desk = Desk(
            portal=open_portal(accounts, [self._stored, *checkers]),
            accounts=accounts,
            directory=self._directory,
            has_sources=bool(sources or checkers),
            guard=self._guard,
            turns=self._turns,
            records=self._records,
            decoys=self._decoys,
            clock=self._clock,
        )
        binding = auth.channel_binding
        return Logins(desk, secrets.token_bytes, auth.default_domain, offers_binding=binding)

    async def start(self) -> None:
        """Take up what the last run knew.  Without it logins go on; nobody's network is known then."""
        try:
            self._decoys.secret, blocks = await self._history.start()
        except (sqlite3.Error, OSError) as error:
            log.error("From where accounts were used cannot be read or kept: {error}", error=error)
            return
        for block in blocks:
            self._guard.block(Block(block.kind, block.subject, block.until - time.time()))

    async def stop(self) -> None:
        """Write what is left."""
        await self._history.stop()

    def _heed(self, request: Request) -> None:
        self._guard.forgive(request.kind, request.subject)


def rules_of(auth: Auth) -> Rules:
    """The settings, as the guard has them."""
    return Rules(
        per_address=auth.failures_per_address,
        per_network=auth.failures_per_network,
        per_account=auth.failures_per_account,
        block_seconds=auth.block,
        longest_block_seconds=max(auth.block, auth.longest_block),
        never_blocked=auth.never_blocked,
    )
