"""An IMAP service in memory: two accounts, three messages in the INBOX of one of them."""

from dataclasses import dataclass

from fakes import MemoryJournal, MemoryLogins
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailsys.interfaces import Account, ICollector, IFreeSpace, NewMessage
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.read.imap import IMAPConversation
from mailsys.read.imap.incoming import Incoming
from mailsys.store.memory.store import MemoryStore
from mailsys.threads import NoThreads

MESSAGES = (
    b"From: Ann <ann@example.org>\r\nSubject: one\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nHello,\r\nthis is one.\r\n",
    b"From: bob@example.org\nSubject: two\n\nline\nand one\n",
    b"Subject: three\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\nbefore\r\n"
    b"--x\r\n\r\nfirst\r\n--x\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nPGI+w7w8L2I+\r\n--x--\r\n",
)
ANN = Account(parse_address("ann@example.org"))
LOGIN = b'a LOGIN ann@example.org "correct horse"\r\n'


@implementer(ICollector)
class MemoryCollector:
    """Keeps a message; ``fault`` is raised instead."""

    def __init__(self, house):
        self._house = house
        self._pieces = []
        self.size = 0
        house.collectors.append(self)
        self.is_discarded = False

    async def add(self, piece):
        if self._house.collector_fault is not None:
            raise self._house.collector_fault
        self._pieces.append(piece)
        self.size += len(piece)

    async def finish(self):
        return MemoryContent([b"".join(self._pieces)])

    async def discard(self):
        self.is_discarded = True


@implementer(IFreeSpace)
@dataclass
class Room:
    octets: int = 10**9

    def has_room_for(self, octets):
        return octets <= self.octets


def now_of(coroutine):
    """The result of a coroutine of the store, which never waits."""
    results = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    [result] = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


class House:
    """What several sessions share; call ``conversation`` with a clock for each of them."""

    def __init__(self, messages=MESSAGES):
        self.store = MemoryStore("fake", 1234567890, lambda account, folder: None, lambda: 0.0)
        self.logins = MemoryLogins({"ann@example.org": "correct horse", "bob@example.org": "pässword"})
        self.journal = MemoryJournal()
        self.space = Room()
        self.sessions = 0
        self.collectors = []
        self.collector_fault = None
        self.message_octets = 100_000
        for number, message in enumerate(messages):
            self.put(message, date=1_000_000_000.0 + number)

    @property
    def folders(self):
        """Ann's."""
        return self.store.folders(ANN)

    def put(self, *messages, folder="INBOX", flags=(), date=0.0):
        """Messages come from somewhere else."""
        new = [NewMessage(MemoryContent([one]), frozenset(flags), date) for one in messages]
        return now_of(self.folders.append(folder, new))

    def new_session_id(self):
        self.sessions += 1
        return f"session{self.sessions}"

    def conversation(self, clock, service="imap", **settings):
        return IMAPConversation(
            hostname="mail.example.org",
            store=self.store,
            logins=self.logins,
            journal=self.journal,
            workers=NoThreads(),
            incoming=Incoming(
                message_octets=self.message_octets,
                space=self.space,
                collector=lambda: MemoryCollector(self),
            ),
            clock=clock,
            now=clock.seconds,
            new_session_id=self.new_session_id,
            **settings,
        )
