"""Builds the store that the configuration names: Maildirs, memory, or a plugin's."""

from __future__ import annotations

import os
import secrets
import socket
import time

from twisted.internet.interfaces import IReactorTime

from mailsys.config.schema import Configuration
from mailsys.disk import Disk
from mailsys.extensions.plugins import Plugins
from mailsys.extensions.store import GuardedStore
from mailsys.interfaces import IMailStore, IQuota, IWorkers
from mailsys.store.changes import ChangeFeed
from mailsys.store.index.database import Indexes
from mailsys.store.maildir.delivery import MaildirDrop
from mailsys.store.maildir.indexer import Indexer, nobody
from mailsys.store.maildir.layout import Layout
from mailsys.store.maildir.names import NameSource
from mailsys.store.maildir.open_folders import Means
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.quota_look import QuotaLook
from mailsys.store.maildir.store import MaildirStore
from mailsys.store.maildir.tree import MaildirTree
from mailsys.store.memory.store import MemoryStore

MAILDIR, MEMORY = "maildir", "memory"


def build_store(
    configuration: Configuration,
    disk: Disk,
    workers: IWorkers,
    plugins: Plugins,
    changes: ChangeFeed,
    clock: IReactorTime | None = None,
) -> IMailStore:
    """The store of ``[store] kind``, whose plugin is made, if it is one's.

    Without a ``clock`` what other programs do is seen only when somebody looks.
    """
    match configuration.store.kind:
        case "maildir":
            return build_maildir(configuration, disk, workers, changes, clock)
        case "memory":
            return MemoryStore(secrets.token_hex(8), int(time.time()), changes.publish)
        case name:
            return GuardedStore(*plugins.plugin(name))


def build_maildir(
    configuration: Configuration,
    disk: Disk,
    workers: IWorkers,
    changes: ChangeFeed,
    clock: IReactorTime | None,
) -> MaildirStore:
    """Maildirs below the folder that ``[store] maildir`` says."""
    tree = _tree(configuration, disk)
    names = NameSource(time.time, os.getpid(), socket.gethostname(), secrets.randbits(32))
    quota = MaildirQuota(tree, disk, workers, time.monotonic)
    indexes = Indexes()
    tell = Indexer(indexes, workers, clock).arrived if clock else nobody
    drop = MaildirDrop(tree, disk, names, changes, tell)
    means = Means(disk, workers, time.monotonic, time.time, secrets.token_bytes, clock, indexes, tell)
    return MaildirStore(tree, means, drop, quota, names, changes)


def quota_look(configuration: Configuration, plugins: Plugins) -> IQuota:
    """How full mailboxes are, for dry runs: nothing is changed."""
    match configuration.store.kind:
        case "maildir":
            disk = Disk()
            return QuotaLook(_tree(configuration, disk), disk)
        case "memory":
            return MemoryStore("", 1, lambda account, folder: None).quota
        case name:
            return GuardedStore(*plugins.plugin(name)).quota


def mail_folders(configuration: Configuration) -> tuple[str, ...]:
    """The folders whose disk must have room for mail."""
    if configuration.store.kind != MAILDIR:
        return (configuration.data,)
    return configuration.data, Layout(configuration.store.maildir, configuration.data).base


def _tree(configuration: Configuration, disk: Disk) -> MaildirTree:
    return MaildirTree(Layout(configuration.store.maildir, configuration.data), disk)
