"""Builds of the stations what a dry run asks: nothing of it is started, and nothing on the disk changes."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, cast

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from mailsys.accounts.directory import Directory
from mailsys.accounts.sources import DirectoryWithSources
from mailsys.admissions import Admissions
from mailsys.config.schema import Configuration
from mailsys.control.configuration import installed
from mailsys.disk import Disk
from mailsys.extensions.plugged_in import plugged_in
from mailsys.extensions.plugins import Plugins
from mailsys.interfaces import IDirectory, ISenders, Services
from mailsys.journal.nothing import NoJournal
from mailsys.judge.builtin import Surroundings
from mailsys.judge.memory.station import SenderMemory
from mailsys.message.srs import SenderRewriting
from mailsys.net.dns.resolver import open_resolver
from mailsys.paths import Paths
from mailsys.receive.recipients import Admission
from mailsys.stations import CannotWork, make_return_addresses, used
from mailsys.stores import quota_look
from mailsys.submit.station import Users
from mailsys.threads import NoThreads


def build_directory(configuration: Configuration) -> Directory:
    """The accounts, without a server around them; whoever asks closes it."""
    return Directory(Paths(configuration.data).accounts, Clock())


def build_admission(configuration: Configuration, directory: IDirectory, service: str) -> Admission:
    """What decides over recipients, for dry runs: it changes nothing on the disk.  Raises CannotWork."""
    plugins = dry_plugins(configuration)
    plugged = plugged_in(plugins, configuration)
    accounts = DirectoryWithSources(directory, plugged.accounts)
    users = Users(Paths(configuration.data).submission, NoThreads(), time.time)
    users.configure(configuration)
    known = configuration, plugged, accounts, quota_look(configuration, plugins)
    rewriting = build_rewriting(configuration)
    surroundings = partial(_surroundings, configuration)
    return Admissions(*known, users.caught, users.limits, rewriting, surroundings).build(service)


def build_rewriting(configuration: Configuration) -> SenderRewriting:
    """What the server makes of the senders of forwarded mail, for dry runs; raises CannotWork."""
    addresses = make_return_addresses(configuration, Disk())
    try:
        addresses.read()
    except OSError as error:
        raise CannotWork(f"The keys of return addresses cannot be read: {error}.") from error
    return addresses.rewriting


def dry_plugins(configuration: Configuration) -> Plugins:
    """The plugins without a server around them: they are made and never started.  Raises CannotWork."""
    from twisted.internet import reactor

    paths = Paths(configuration.data)
    clock: Any = reactor  # a command that has to wait runs it; else nothing of it is used

    def services(name: str) -> Services:
        folder = paths.plugin(name)
        return Services(name, configuration.hostname, folder, clock, time.time, NoThreads(), NoJournal())

    return used(Plugins(installed(), services, clock), configuration)


def _surroundings(configuration: Configuration, senders: ISenders) -> Surroundings:
    """What judges use in a dry run: the real DNS, and the reactor that a command runs while it waits."""
    from twisted.internet import reactor

    dns, workers, clock = configuration.dns, NoThreads(), cast(IReactorTime, reactor)
    resolver = open_resolver(reactor, workers, dns.servers, trust_ad=dns.trust_ad)
    memory = SenderMemory(Paths(configuration.data).senders, workers, time.time, only_looks=True)
    return Surroundings(configuration, senders, resolver, clock, time.time, workers, memory)
