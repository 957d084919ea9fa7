"""Stand-ins that keep everything in memory; each implements the interface of the real thing."""

from collections.abc import MutableMapping

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mailsys.accounts.attempt import MOST_FAILURES
from mailsys.accounts.exchange import FAULTS, LoginExchange
from mailsys.interfaces import (
    Account,
    Attempt,
    ConnectionEnded,
    HostStops,
    IConnection,
    IDelivery,
    IJournal,
    ILogins,
    ISenders,
    ISigner,
    LoginFailed,
    LoginFault,
    Peer,
    TimedOut,
)
from mailsys.message.address import parse_address
from mailsys.message.content import READ_OCTETS, MemoryContent
from mailsys.message.outcome import Delivered, Step
from mailsys.store.memory.mail import Copy
from mailsys.store.memory.store import MemoryMailbox as RealMemoryMailbox
from mailsys.store.memory.store import MemoryStore as RealMemoryStore
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

    @property
    def has_received(self):
        return bool(self._input)

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


class MemoryMailbox(RealMemoryMailbox):
    """One open folder; ``faults`` maps a UID, or "expunge", to what is raised for it."""

    def __init__(self, mail, account, name, closed, faults):
        super().__init__(mail, account, name, closed)
        self._faults = faults
        self.is_closed = False
        self.is_cached = False  # is every message in memory, as the kernel's page cache may have it?
        self.reads = []  # UIDs, in the order in which they were read

    async def content(self, uid):
        return MemoryContent([self._read_or_fail(uid)])

    def _read_or_fail(self, uid):
        self.reads.append(uid)
        if uid in self._faults:
            raise self._faults[uid]
        return self._octets(uid)

    def _read(self, uid):
        try:
            octets = self._read_or_fail(uid)
        except (KeyError, OSError) as error:
            return error
        return octets if len(octets) <= READ_OCTETS else None

    def read_cached(self, uid):
        return super().read_cached(uid) if self.is_cached else None

    async def expunge(self, uids):
        if "expunge" in self._faults:
            raise self._faults["expunge"]
        return await super().expunge(uids)

    def close(self):
        self.is_closed = True
        super().close()


class Contents(MutableMapping):
    """The messages of a folder by UID, for tests that put and take them past the store."""

    def __init__(self, folder):
        self._folder = folder

    def __getitem__(self, uid):
        return self._folder.copies[uid].octets

    def __setitem__(self, uid, octets):
        self._folder.copies[uid] = Copy(f"put.{uid}", octets)
        self._folder.uid_next = max(self._folder.uid_next, uid + 1)

    def __delitem__(self, uid):
        del self._folder.copies[uid]

    def __iter__(self):
        return iter(sorted(self._folder.copies))

    def __len__(self):
        return len(self._folder.copies)


class MemoryStore(RealMemoryStore):
    """The store in memory, with faults to order."""

    def __init__(self, uid_validity=1):
        super().__init__("fake", uid_validity, lambda account, folder: None)
        self.faults = {}  # for the mailboxes; "open" for the store itself
        self.opened = []

    def contents(self, account):
        """What is in an account's INBOX."""
        return Contents(self._mail.folder(parse_address(account), "INBOX"))

    def _open(self, address, folder, closed):
        if "open" in self.faults:
            raise self.faults["open"]
        mailbox = MemoryMailbox(self._mail, address, folder, closed, self.faults)
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


@implementer(ISenders)
class OwnAddressOnly:
    """Nobody has further addresses; our.example is ours."""

    async def may_use(self, account, address):
        return account == address

    async def is_ours(self, domain):
        return domain == "our.example"


@implementer(ISigner)
class SignsNothing:
    """For hosts without keys."""

    async def lines(self, content, leaves_at=0.0):
        return ()


@implementer(IJournal)
class MemoryJournal:
    """Keeps the events in a list."""

    def __init__(self):
        self.events = []

    def record(self, event):
        self.events.append(event)

    def flush(self):
        pass


@implementer(IDelivery)
class MemoryDelivery:
    """Keeps what it is given; ``outcome`` is what becomes of it."""

    def __init__(self):
        self.outcome = Delivered("ticket 17")
        self.said = ""
        self.taken = []

    async def deliver(self, envelope, content, recipients):
        octets = b"".join(content.pieces())
        assert octets == content.read(0, content.size)
        self.taken.append((envelope, octets, tuple(recipients)))
        return {one: Attempt(self.outcome, Step.MESSAGE, said=self.said) for one in recipients}
