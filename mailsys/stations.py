"""Builds the stations and introduces them to each other: the one place that knows them all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from twisted.logger import Logger

from mailsys.accounts.database import AccountsError, open_database
from mailsys.accounts.directory import Directory
from mailsys.accounts.gate import Gate
from mailsys.accounts.sources import DirectoryWithSources
from mailsys.admissions import Admissions
from mailsys.config.schema import Configuration
from mailsys.control.configuration import installed
from mailsys.conversations import conversations
from mailsys.disk import Disk
from mailsys.dkim.signer import AFTER_QUEUE_SECONDS
from mailsys.dkim.station import Signing
from mailsys.extensions.plugged_in import plugged_in
from mailsys.extensions.plugins import CannotUse, Plugins
from mailsys.intake.drops import Drops
from mailsys.intake.intake import Intake
from mailsys.interfaces import IConversation, IFolderStore, ISenders, Peer, Services, Session
from mailsys.journal import events
from mailsys.journal.ids import SessionIds
from mailsys.journal.reader import newest_session
from mailsys.journal.writer import Journal
from mailsys.judge.builtin import Surroundings
from mailsys.judge.memory.station import SenderMemory
from mailsys.outgoing import Outgoing
from mailsys.own_records import OwnRecords
from mailsys.paths import Paths
from mailsys.queue.laying import Home
from mailsys.queue.schedule import lifetime
from mailsys.read.imap.first_folders import FirstFolders
from mailsys.receive.memory import MessageMemory
from mailsys.receive.strangers import Strangers, patience_of
from mailsys.route.return_keys import ReturnAddresses
from mailsys.space import FreeSpace, Reserve
from mailsys.store.changes import ChangeFeed
from mailsys.stores import MEMORY, build_store, mail_folders
from mailsys.submit.station import Users
from mailsys.threads import Workers

FILE_THREADS = 8
PLUGIN_THREADS = 8
_MAIL_COMES_IN = ("smtp", "lmtp", "submission")

log = Logger(namespace="mailsys")


class CannotWork(Exception):  # noqa: N818 - a sentence for the operator
    """A station cannot begin to work; the text says why."""


class Stations:
    """All stations of a host.  ``start`` and ``stop`` them in the reactor's thread, each once."""

    def __init__(self, configuration: Configuration, reactor: Any) -> None:
        self.paths = Paths(configuration.data)
        self._hostname = configuration.hostname
        self.disk = Disk()
        self.reactor = reactor
        self.files = Workers(reactor, FILE_THREADS, "files")
        self.hashing = Workers(reactor, configuration.auth.hashing_threads, "hashing")
        self.settling = Workers(reactor, 1, "settling")
        self.for_plugins = Workers(reactor, PLUGIN_THREADS, "plugins")
        self.directory = Directory(self.paths.accounts, reactor)
        kept = configuration.journal
        self.journal = Journal(self.paths.journal, keep_seconds=kept.keep, size_octets=kept.size)
        self.ids = SessionIds(time.time, newest_session(self.paths.journal))
        self.gate = self._build_gate(configuration)
        self.plugins = used(Plugins(installed(), self._services, reactor), configuration)
        self.changes = ChangeFeed()
        self.store = build_store(
            configuration, self.disk, self.files, self.plugins, self.changes, self.reactor
        )
        self.space = FreeSpace(mail_folders(configuration), _reserve(configuration), self.files, self.reactor)
        self.return_addresses = make_return_addresses(configuration, self.disk)
        self.own_records = OwnRecords(
            configuration, self.directory, reactor, self.files, lambda: self.outgoing.resolver
        )
        not_yet = self.own_records.not_yet_published
        self.signing = Signing(configuration.data, self._domains, reactor, self.files, time.time, not_yet)
        self.outgoing = self._build_outgoing(configuration)
        self.drops = Drops(self.store.drop, self.outgoing.queue.spool)
        self.intake = self._build_intake()
        self.strangers = Strangers(reactor.seconds, patience_of(configuration))
        self.message_memory = MessageMemory(configuration.limits.message_memory)
        self.users = Users(self.paths.submission, self.files, time.time)
        self.senders = SenderMemory(self.paths.senders, self.files, time.time, reactor)
        self.first_folders = FirstFolders()
        self._to_undo = AsyncExitStack()
        self.configure(configuration)

    def _build_intake(self) -> Intake:
        return Intake(
            self.disk,
            self.paths.intake,
            self.drops,
            self.journal,
            reactor=self.reactor,
            workers=self.files,
            settling=self.settling,
            now=time.time,
        )

    async def _domains(self) -> Sequence[str]:
        """Ours; none as long as nobody has added one."""
        return await self.directory.domains() if os.path.exists(self.paths.accounts) else ()

    def _build_gate(self, configuration: Configuration) -> Gate:
        return Gate(
            self.paths.accounts,
            self.directory,
            self.journal,
            reactor=self.reactor,
            hashing=self.hashing,
            at_once=configuration.auth.hashing_threads,
            files=self.files,
        )

    def _build_outgoing(self, configuration: Configuration) -> Outgoing:
        return Outgoing(
            configuration,
            self.disk,
            self.reactor,
            journal=self.journal,
            workers=self.files,
            now=time.time,
            new_id=self.ids.next,
            first_domain=self.directory.first_domain,
            rewriting=self.return_addresses.rewriting,
            signer=self.signing,
            diagnosis=self.own_records.diagnosis,
        )

    def _services(self, name: str) -> Services:
        """What the plugin that the configuration calls ``name`` may use."""
        return Services(
            name,
            self._hostname,
            self.paths.plugin(name),
            self.reactor,
            time.time,
            self.for_plugins,
            self.journal,
        )

    async def renew(self, configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
        """Take other settings, as ``configure``; raises CannotWork, and then all stays as it was.

        Returns what is in force, and the tables of plugins that need a restart.
        """
        try:
            self.return_addresses.read()
            configuration, needs_restart = await self.plugins.renew(configuration)
        except (CannotUse, OSError) as error:
            raise CannotWork(str(error)) from error
        self.configure(configuration)
        await self.signing.look()
        return configuration, needs_restart

    def configure(self, configuration: Configuration) -> None:
        """Take the settings for conversations to come; where data lies must be as it was."""
        self.configuration = configuration
        self.space.reserve = _reserve(configuration)
        self.plugged_in = plugged_in(self.plugins, configuration)
        accounts = DirectoryWithSources(self.directory, self.plugged_in.accounts)
        self.logins = self.gate.logins(configuration.auth, self.plugged_in.accounts, self.plugged_in.checkers)
        known = configuration, self.plugged_in, accounts, self.store.quota
        rewriting = self.return_addresses.rewriting
        self.outgoing.configure_resolver(configuration)
        users = self.users.caught, self.users.limits
        admissions = Admissions(*known, *users, rewriting, self._surroundings)
        self.admissions = {service: admissions.build(service) for service in _MAIL_COMES_IN}
        router = self.admissions["smtp"].router
        self.users.configure(configuration)
        self.senders.configure(configuration)
        self.users.write_letters(self.intake, self.store.drop, router, self._hostname, self.ids.next)
        self.outgoing.home = Home(
            router,
            self.intake,
            self.store.drop,
            self.drops,
            self.store.quota,
            self.files,
            time.time,
            self.plugged_in.deliveries,
        )
        self.outgoing.configure(configuration)
        valid_seconds = lifetime(configuration.send.retry) + AFTER_QUEUE_SECONDS
        self.own_records.configuration = configuration
        dkim = configuration.dkim
        self.signing.configure(
            is_on=dkim.sign,
            valid_seconds=valid_seconds,
            new_keys_after=dkim.new_keys_after,
            ahead_seconds=configuration.submission.ahead,
        )
        self.strangers.patience = patience_of(configuration)
        self.message_memory.octets = configuration.limits.message_memory

    def _surroundings(self, senders: ISenders) -> Surroundings:
        """What the judges of the present configuration use."""
        dns, clock = self.outgoing.resolver, self.reactor
        return Surroundings(self.configuration, senders, dns, clock, time.time, self.files, self.senders)

    async def start(self) -> None:
        """Begin to work, with all that the last run left undone; raises CannotWork.

        Call ``stop`` in any case.
        """
        if any(listener.service == "imap" for listener in self.configuration.listen):
            self.folder_store()
        self._open_accounts()
        try:
            self.return_addresses.open()
        except OSError as error:
            raise CannotWork(f"The keys of return addresses cannot be used: {error}.") from error
        if self.configuration.store.kind == MEMORY:
            log.warn('[store] kind is "memory": all mail is gone when this server stops')
        for workers in (self.files, self.hashing, self.settling, self.for_plugins):
            workers.start()
            self._to_undo.push_async_callback(workers.stop)
        self.journal.start()
        self._to_undo.push_async_callback(self.files.run, self.journal.close)
        await self.gate.start()
        self._to_undo.push_async_callback(self.gate.stop)
        await self.signing.start()
        self._to_undo.push_async_callback(self.signing.stop)
        for stop in (self.users.stop, self.senders.stop, self.outgoing.close, self.plugins.stop):
            self._to_undo.push_async_callback(stop)
        try:
            await self.plugins.start()
            await self.outgoing.prepare()
            await self.files.run(self.intake.replay)
            self.intake.start()
            self._to_undo.push_async_callback(self.intake.stop)
            self._to_undo.push_async_callback(self.outgoing.stop)
            await self.outgoing.start()
        except CannotUse as error:
            raise CannotWork(str(error)) from error
        except OSError as error:
            raise CannotWork(f"The log of accepted mail cannot be replayed: {error}.") from error
        self.space.start()
        self._to_undo.push_async_callback(self.space.stop)

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

    def folder_store(self) -> IFolderStore:
        """The store, if it can be read with IMAP; raises CannotWork."""
        if not IFolderStore.providedBy(self.store):
            raise CannotWork(
                "IMAP cannot be served: the store of [store] kind keeps no folders for it."
                ' Take the [[listen]] with service = "imap" out of the configuration.'
            )
        return self.store

    def note_refusal(self, peer: Peer, farewell: bytes, reason: str) -> None:
        """Somebody was not let in: the journal tells it, should anybody ask why."""
        session = Session(self.ids.next(), peer, protocol="")
        reply = farewell.decode().strip() or "nothing was said"
        self.journal.record(
            events.refused(session.id, session, "CONNECT", reply, time.time(), reasons=[reason])
        )

    def converse(self, service: str) -> Callable[[], IConversation]:
        """What speaks on a listener of this service."""
        return conversations(self, service)


def _reserve(configuration: Configuration) -> Reserve:
    return Reserve(configuration.limits.free_space, configuration.limits.free_inodes)


def make_return_addresses(configuration: Configuration, disk: Disk) -> ReturnAddresses:
    """The keys of return addresses, not yet read."""
    return ReturnAddresses(disk, Paths(configuration.data).return_keys, time.time, os.urandom)


def used(plugins: Plugins, configuration: Configuration) -> Plugins:
    """The plugins that the configuration names, made; raises CannotWork."""
    try:
        plugins.use(configuration)
    except CannotUse as error:
        raise CannotWork(str(error)) from error
    return plugins
