"""Builds the stations and introduces them to each other: the one place that knows them all."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import Logger

from mailsys.accounts.checker import StoredPasswords
from mailsys.accounts.database import FILE_NAME as ACCOUNTS
from mailsys.accounts.database import AccountsError, open_database
from mailsys.accounts.directory import Directory
from mailsys.accounts.logins import Logins
from mailsys.accounts.portal import open_portal
from mailsys.accounts.recent import RecentLogins
from mailsys.config.schema import Configuration
from mailsys.disk import Disk
from mailsys.intake.intake import Intake
from mailsys.intake.spool import spool_path
from mailsys.interfaces import Account, IConversation, IDirectory
from mailsys.journal import FILE_NAME as JOURNAL
from mailsys.journal.ids import SessionIds
from mailsys.journal.reader import newest_session
from mailsys.journal.writer import Journal
from mailsys.judge.builtin import build_pipeline
from mailsys.read.pop3.conversation import POP3Conversation
from mailsys.receive.conversation import Conversation
from mailsys.receive.reception import Reception, Settings
from mailsys.receive.recipients import Admission
from mailsys.route.router import Router
from mailsys.store.changes import ChangeFeed
from mailsys.store.maildir.delivery import MaildirDrop
from mailsys.store.maildir.layout import Layout
from mailsys.store.maildir.names import NameSource
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.quota_look import QuotaLook
from mailsys.store.maildir.store import MaildirStore
from mailsys.store.maildir.tree import MaildirTree
from mailsys.threads import Workers

FILE_THREADS = 8

log = Logger(namespace="mailsys")


class CannotWork(Exception):  # noqa: N818 - a sentence for the operator
    """A station cannot begin to work; the text says why."""


@dataclass(frozen=True, slots=True)
class Paths:
    """What lies in the data folder."""

    data: str

    @property
    def accounts(self) -> str:
        """Domains, accounts, aliases."""
        return os.path.join(self.data, ACCOUNTS)

    @property
    def journal(self) -> str:
        """The story of every message."""
        return os.path.join(self.data, JOURNAL)

    @property
    def intake(self) -> str:
        """The log of what was accepted, and its spool."""
        return os.path.join(self.data, "intake")


class Stations:
    """All stations of a host.  ``start`` and ``stop`` them in the reactor's thread, each once."""

    def __init__(self, configuration: Configuration, reactor: Any) -> None:
        self.paths = Paths(configuration.data)
        self.disk = Disk()
        self.reactor = reactor
        self.files = Workers(reactor, FILE_THREADS, "files")
        self.hashing = Workers(reactor, configuration.auth.hashing_threads, "hashing")
        self.settling = Workers(reactor, 1, "settling")
        self.directory = Directory(self.paths.accounts, reactor)
        recent = RecentLogins(reactor, secrets.token_bytes(32))
        stored = StoredPasswords(self.directory, self.paths.accounts, self.hashing, recent)
        self.portal = open_portal(self.directory, [stored])
        self.journal = Journal(self.paths.journal)
        self.ids = SessionIds(time.time, newest_session(self.paths.journal))
        self._build_store(configuration)
        self.intake = Intake(
            self.disk,
            self.paths.intake,
            self.drop,
            self.journal,
            reactor=reactor,
            workers=self.files,
            settling=self.settling,
            now=time.time,
        )
        self._to_undo = AsyncExitStack()
        self.configure(configuration)

    def _build_store(self, configuration: Configuration) -> None:
        tree = MaildirTree(Layout(configuration.store.maildir, configuration.data), self.disk)
        names = NameSource(time.time, os.getpid(), socket.gethostname(), secrets.randbits(32))
        self.changes = ChangeFeed()
        self.quota = MaildirQuota(tree, self.disk, self.files, time.monotonic)
        self.drop = MaildirDrop(tree, self.disk, names, self.changes)
        self.store = MaildirStore(tree, self.disk, self.files, self.quota, time.time, secrets.token_bytes)

    def configure(self, configuration: Configuration) -> None:
        """Take the settings for conversations to come; where data lies must be as it was."""
        self.configuration = configuration
        self.logins = Logins(self.portal, self.directory, configuration.auth.default_domain)
        self.judges = build_pipeline(configuration)
        router = Router(self.directory, configuration.receive.separator)
        self.admission = Admission(configuration.limits.recipients, self.judges, router, self.quota)

    async def start(self) -> None:
        """Begin to work, with all that the last run left undone; raises CannotWork.

        Call ``stop`` in any case.
        """
        self._open_accounts()
        for workers in (self.files, self.hashing, self.settling):
            workers.start()
            self._to_undo.push_async_callback(workers.stop)
        self.journal.start()
        self._to_undo.push_async_callback(self.files.run, self.journal.close)
        try:
            await self.files.run(self.intake.replay)
        except OSError as error:
            raise CannotWork(f"The log of accepted mail cannot be replayed: {error}.") from error
        self.intake.start()
        self._to_undo.push_async_callback(self.intake.stop)

    def _open_accounts(self) -> None:
        if not os.path.exists(self.paths.accounts):
            log.warn("There are no domains yet: add one with 'mailsys domain add'")
            return
        try:
            open_database(self.paths.accounts).close()  # brings its tables up to date
        except AccountsError as error:
            raise CannotWork(f"{self.paths.accounts}: {error}") from error

    async def stop(self) -> None:
        """Finish what was begun, the last first; everything that was answered is safe."""
        await self._to_undo.aclose()
        self.directory.close()

    # ------------------------------------------------------------------ conversations by service

    def converse(self, service: str) -> Callable[[], IConversation]:
        """What speaks on a listener of this service."""
        if service == "pop3":
            pop3 = self._pop3()
            return lambda: pop3
        reception = self._reception(service)
        return lambda: Conversation(reception)

    def _pop3(self) -> POP3Conversation:
        return POP3Conversation(
            hostname=self.configuration.hostname,
            store=self.store,
            logins=self.logins,
            journal=self.journal,
            workers=self.files,
            clock=self.reactor,
            new_session_id=self.ids.next,
            plaintext=self.configuration.auth.plaintext,
            idle_seconds=self.configuration.limits.pop3_seconds,
        )

    def _reception(self, service: str) -> Reception:
        limits = self.configuration.limits
        settings = Settings(
            hostname=self.configuration.hostname,
            service=service,
            message_octets=limits.message_size,
            recipients=limits.recipients,
            command_seconds=limits.command_seconds,
            data_seconds=limits.data_seconds,
            errors=limits.errors,
            plaintext=self.configuration.auth.plaintext,
            first_domain=self.directory.first_domain,
        )
        return Reception(
            settings=settings,
            judges=self.judges,
            admission=self.admission,
            quota=self.quota,
            intake=self.intake,
            drop=self.drop,
            logins=self.logins,
            journal=self.journal,
            disk=self.disk,
            workers=self.files,
            spool=spool_path(self.paths.intake),
            new_id=self.ids.next,
            now=time.time,
            clock=self.reactor,
        )


def build_directory(configuration: Configuration) -> Directory:
    """The accounts, without a server around them; whoever asks closes it."""
    return Directory(Paths(configuration.data).accounts, Clock())


def build_admission(configuration: Configuration, directory: IDirectory) -> Admission:
    """What decides over recipients, for dry runs: it changes nothing on the disk."""
    disk = Disk()
    tree = MaildirTree(Layout(configuration.store.maildir, configuration.data), disk)
    router = Router(directory, configuration.receive.separator)
    return Admission(
        configuration.limits.recipients, build_pipeline(configuration), router, QuotaLook(tree, disk)
    )


def used_octets(configuration: Configuration, account: Account) -> int | None:
    """How much of its quota an account uses; None without one.  Changes nothing; raises OSError."""
    disk = Disk()
    tree = MaildirTree(Layout(configuration.store.maildir, configuration.data), disk)
    return QuotaLook(tree, disk).used(account)
