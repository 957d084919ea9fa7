"""Maildirs below a test's folder, with everything that a host would build around them."""

import os
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailsys.disk import Disk
from mailsys.interfaces import Account
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.store.changes import ChangeFeed
from mailsys.store.index.database import Indexes, NoIndex
from mailsys.store.maildir.delivery import MaildirDrop
from mailsys.store.maildir.layout import Layout
from mailsys.store.maildir.look import FolderLook
from mailsys.store.maildir.names import NameSource
from mailsys.store.maildir.open_folders import Means
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.store import MaildirStore
from mailsys.store.maildir.tree import MaildirTree
from mailsys.threads import NoThreads

ANN = Account(parse_address("ann@example.org"))
NOON = 1_795_435_445.0  # 2026-11-23 12:04:05 UTC
HEAD = b"Return-Path: <bob@example.net>\r\n"


def result_of(coroutine):
    """What a coroutine that waits for nothing returns or raises."""
    outcome = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    assert outcome, "it still waits"
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


def read(mailbox, uid):
    """The whole of one small message; raises what a reader would meet."""
    [octets] = result_of(mailbox.read_many([uid]))
    if isinstance(octets, Exception):
        raise octets
    return octets


class NoIndexes:
    """For tests that have nothing to do with it."""

    def of(self, folder):
        return self

    def run(self, work):
        raise NoIndex


class MaildirHouse:
    """One host's Maildirs; ``clock`` is the time of day and goes on by itself with each name."""

    def __init__(
        self, folder, *, disk=None, workers=None, indexes=None, template="{data}/mail/{domain}/{user}"
    ):
        self.data = str(folder)
        self.disk = disk or Disk()
        self.clock = NOON
        self.monotonic = 0.0
        self.tree = MaildirTree(Layout(template, self.data), self.disk)
        self.changes = ChangeFeed()
        self.names = NameSource(self._tick, 4711, "mail.example.org", 0)
        self.drop = MaildirDrop(self.tree, self.disk, self.names, self.changes)
        workers = workers or NoThreads()
        self.quota = MaildirQuota(self.tree, self.disk, workers, lambda: self.monotonic)
        means = Means(
            self.disk,
            workers,
            lambda: self.monotonic,
            lambda: self.clock,
            lambda octets: b"\xab" * octets,
            indexes=indexes or Indexes(),
        )
        self.store = MaildirStore(self.tree, means, self.drop, self.quota, self.names, self.changes)

    def _tick(self):
        self.clock += 0.001
        return self.clock

    def root(self, account=ANN):
        """The account's Maildir as a Path."""
        return Path(self.tree.layout.root(account.address))

    def plan(self, text=b"Hello\r\n", account=ANN, **options):
        """A copy for the INBOX, and its content."""
        content = MemoryContent([b"Subject: test\r\n\r\n", text])
        return self.drop.plan(account, account.address, HEAD, content.size, **options), content

    def deliver(self, text=b"Hello\r\n", account=ANN):
        """Deliver a message as intake does; the result is the action."""
        action, content = self.plan(text, account)
        self.drop.write(action, content)
        self.drop.lay(action)
        return action

    def is_laid(self, action, content):
        """Is the copy, whole, in any folder?"""
        return self.drop.laid_octets(action) == len(action.head) + content.size

    def put(self, name, data=b"Subject: foreign\n\nline\n", subdirectory="new", account=ANN):
        """Another program lays a file."""
        self.tree.ready(account.address, "INBOX", "new")
        path = self.root(account) / subdirectory / name
        path.write_bytes(data)
        return path

    def open(self, account=ANN, folder="INBOX", *, exclusive=True):
        """Open a mailbox now."""
        return result_of(self.store.open(account, folder, exclusive=exclusive))

    def look(self, account=ANN):
        """UIDVALIDITY and UIDs as of now, with the text of each message."""
        mailbox = self.open(account, exclusive=False)
        return mailbox.uid_validity, {m.uid: read(mailbox, m.uid) for m in mailbox.messages}

    def uidlist(self, account=ANN):
        """The lines of the uidlist."""
        return (self.root(account) / "dovecot-uidlist").read_text().splitlines()

    def names_in(self, subdirectory, account=ANN):
        """What lies in tmp, new or cur."""
        return sorted(os.listdir(self.root(account) / subdirectory))

    def folder_look(self, account=ANN):
        """A bare look, for what the store does not show."""
        root = str(self.root(account))
        return FolderLook(self.disk, root, root, lambda: self.clock, lambda octets: b"\xab" * octets)
