"""Stand-ins that keep everything in memory; each implements the interface of the real thing."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mailsys.accounts.attempt import MOST_FAILURES
from mailsys.accounts.exchange import FAULTS, LoginExchange
from mailsys.interfaces import (
    Account,
    ConnectionEnded,
    HostStops,
    IConnection,
    IJournal,
    ILogins,
    IMailbox,
    IMailStore,
    LoginFailed,
    LoginFault,
    MailboxInUse,
    Peer,
    StoredMessage,
    TimedOut,
)
from mailsys.message.address import parse_address
from mailsys.message.content import READ_OCTETS, MemoryContent
from mailsys.wire import sasl


@implementer(IConnection)
class MemoryConnection:
    """A connection whose other end is the test: ``feed`` it, look at ``output``, ``hang_up``."""

    def __init__(self, clock=None, *, host="127.0.0.1", service="pop3", tls="", certificate=False):
        self.clock = clock or Clock()
        self.peer = Peer(host, 40000, service)
        self.tls = tls
        self.certificate = certificate
        self.bindings = {}
        self.congested = False  # set it to hold ``drained`` back until ``resume``
        self.output = b""
        self.closed = False
        self.handshakes = 0
        self.handshake_fails = False
        self._input = b""
        self._end = None
        self._waiter = None

    # What the test does.

    def feed(self, data):
        """The peer sends something."""
        self._input += data
        self._wake()

    def hang_up(self):
        """The peer goes."""
        self._end = ConnectionEnded
        self._wake()

    def stop_host(self):
        """The service stops."""
        self._end = HostStops
        self._wake()

    def resume(self):
        """The peer takes all that was sent."""
        self.congested = False
        self._wake()

    def take(self):
        """Return what was sent since the last call."""
        taken, self.output = self.output, b""
        return taken

    @property
    def is_waiting(self):
        """Does the conversation wait for the peer?"""
        return self._waiter is not None

    # What the conversation does.

    def send(self, data):
        assert isinstance(data, bytes)
        assert not self.closed
        self.output += data

    async def receive(self, seconds):
        while not self._input:
            await self._wait(seconds)
        data, self._input = self._input, b""
        return data

    async def drained(self):
        while self.congested:
            await self._wait(300)

    async def start_tls(self):
        self._input = b""
        self.handshakes += 1
        if self.handshake_fails:
            raise ConnectionEnded
        self.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384"

    def can_start_tls(self):
        return self.certificate and not self.tls

    def channel_binding(self, kind):
        return self.bindings.get(kind) if self.tls else None

    def close(self):
        self.closed = True

    async def _wait(self, seconds):
        if self._end is not None or self.closed:
            raise self._end or ConnectionEnded
        self._waiter = waiter = Deferred()
        alarm = self.clock.callLater(seconds, waiter.errback, TimedOut())
        try:
            await waiter
        finally:
            self._waiter = None
            if alarm.active():
                alarm.cancel()

    def _wake(self):
        if self._waiter is not None and not self._waiter.called:
            self._waiter.callback(None)


@implementer(IMailbox)
class MemoryMailbox:
    """One open folder; ``faults`` maps a UID, or "expunge", to what is raised for it."""

    def __init__(self, contents, uid_validity, close, faults):
        self._contents = contents
        self.uid_validity = uid_validity
        self.messages = tuple(
            StoredMessage(uid, len(data), len(data) + data.count(b"\n") - data.count(b"\r\n"))
            for uid, data in sorted(contents.items())
        )
        self._faults = faults
        self._close = close
        self.is_closed = False
        self.is_cached = False  # is every message in memory, as the kernel's page cache may have it?
        self.reads = []  # UIDs, in the order in which they were read

    def name(self, uid):
        return f"file{uid}" if uid in self._contents else ""

    async def content(self, uid):
        return MemoryContent([self._read(uid)])

    def _read(self, uid):
        self.reads.append(uid)
        if uid in self._faults:
            raise self._faults[uid]
        return self._contents[uid]

    def read_cached(self, uid):
        return self._contents.get(uid) if self.is_cached else None

    async def read_many(self, uids):
        results = []
        for uid in uids:
            try:
                octets = self._read(uid)
                results.append(octets if len(octets) <= READ_OCTETS else None)
            except (KeyError, OSError) as error:
                results.append(error)
        return results

    async def expunge(self, uids):
        if "expunge" in self._faults:
            raise self._faults["expunge"]
        return sum(self._contents.pop(uid, None) is not None for uid in uids)

    def close(self):
        if not self.is_closed:
            self.is_closed = True
            self._close()


@implementer(IMailStore)
class MemoryStore:
    """Mailboxes as dictionaries from UID to bytes, by account and folder."""

    def __init__(self, uid_validity=1):
        self.uid_validity = uid_validity
        self.folders = {}
        self.faults = {}  # for the mailboxes; "open" for the store itself
        self.opened = []
        self._held = set()

    def put(self, account, contents, folder="INBOX"):
        """Lay messages; their UIDs are 1, 2, 3 … unless they come as a dictionary."""
        if not isinstance(contents, dict):
            contents = dict(enumerate(contents, 1))
        self.folders[account, folder] = contents

    async def open(self, account, folder, *, exclusive):
        if "open" in self.faults:
            raise self.faults["open"]
        place = (str(account.address), folder)
        if place in self._held:
            raise MailboxInUse
        if exclusive:
            self._held.add(place)
        mailbox = MemoryMailbox(
            self.folders.setdefault(place, {}),
            self.uid_validity,
            lambda: self._held.discard(place),
            self.faults,
        )
        self.opened.append(mailbox)
        return mailbox


@implementer(ILogins)
class MemoryLogins:
    """Accounts with their passwords; ``asked`` keeps the names tried, ``over`` those who must go."""

    def __init__(self, passwords):
        self._passwords = passwords
        self.asked = []
        self.over = set()
        self.is_unavailable = False

    def mechanisms(self, connection, plaintext):
        is_allowed = sasl.passwords_allowed(
            plaintext, is_secure=bool(connection.tls), is_loopback=connection.peer.is_loopback
        )
        return sasl.offered(is_allowed=is_allowed, has_keys=False, is_bound=False)

    def begin(self, mechanism, offered, session, connection):
        exchange = sasl.exchange(mechanism, offered, connection.channel_binding, bytes)
        return LoginExchange(exchange, _MemoryJudgement(self, session))

    async def check(self, name, password, session):
        self.asked.append(name)
        if self.is_unavailable:
            raise LoginFailed(LoginFault.UNAVAILABLE)
        if name not in self._passwords or self._passwords[name] != password:
            self.fail(session, LoginFault.WRONG)
        session.login = parse_address(name)
        return Account(session.login)

    async def is_current(self, session):
        return str(session.login) not in self.over

    def fail(self, session, fault):
        session.failed_logins += 1
        raise LoginFailed(fault, is_last=session.failed_logins >= MOST_FAILURES)


class _MemoryJudgement:
    """What an exchange asks of ``MemoryLogins``."""

    def __init__(self, logins, session):
        self._logins = logins
        self._session = session

    async def password(self, name, password):
        return await self._logins.check(name, password, self._session)

    async def refused(self, refusal):
        if FAULTS[refusal] is LoginFault.CANCELLED:
            raise LoginFailed(LoginFault.CANCELLED)
        self._logins.fail(self._session, FAULTS[refusal])


@implementer(IJournal)
class MemoryJournal:
    """Keeps the events in a list."""

    def __init__(self):
        self.events = []

    def record(self, event):
        self.events.append(event)

    def flush(self):
        pass
