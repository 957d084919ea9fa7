"""Real logins over real accounts in a file, with a clock that the test moves and a memory journal."""

import itertools
import os
import secrets
import tempfile

from fakes import MemoryConnection, MemoryJournal
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailsys.accounts import checker, credentials
from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.attempt import Desk
from mailsys.accounts.checker import StoredPasswords
from mailsys.accounts.credentials import Credential, own_credentials
from mailsys.accounts.database import open_database
from mailsys.accounts.directory import Directory
from mailsys.accounts.guessing.guard import Guard, Rules
from mailsys.accounts.guessing.turns import Turns
from mailsys.accounts.hashing import HashingQueue
from mailsys.accounts.history.history import LoginHistory
from mailsys.accounts.logins import Logins
from mailsys.accounts.portal import open_portal
from mailsys.accounts.recent import RecentLogins
from mailsys.accounts.records import LoginRecords
from mailsys.accounts.scram import Decoys
from mailsys.interfaces import LoginFailed, Peer, Session
from mailsys.message.address import Address
from mailsys.threads import NoThreads

ALICE = Address("alice", "a.test")
OLD = Address("old", "a.test")
PASSWORD = "geheim"
OWN = own_credentials(PASSWORD)
FOREIGN = Credential("foreign", "{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=")  # geheim
STRANGER = "192.0.2.1"
MOST_SECONDS = 60


class LoginCase(SynchronousTestCase):
    """``compared`` lists the hashes that were computed, by their kinds."""

    accounts = (NewAccount(ALICE, OWN), NewAccount(OLD, [FOREIGN]))

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = os.path.join(folder, "accounts.sqlite3")
        self.database = open_database(self.path)
        self.addCleanup(self.database.close)
        self.database.domains.add("a.test")
        self.database.accounts.add(self.accounts)
        self.compared = []
        self.patch(checker, "matches", self._matches)
        self.clock = Clock()
        self.directory = Directory(self.path, self.clock)
        self.addCleanup(self.directory.close)
        self.journal = MemoryJournal()
        self.open_history()
        self._ids = itertools.count(1)
        self.build(NoThreads())

    def build(self, workers, default_domain="", others=(), rules=None):
        recent = RecentLogins(self.clock, secrets.token_bytes(32))
        queue = HashingQueue(workers, at_once=2)
        self.stored = StoredPasswords(self.directory, self.path, queue, recent)
        self.portal = open_portal(self.directory, [self.stored, *others])
        self.guard = Guard(self.clock.seconds, b"k" * 32, rules or Rules())
        self.records = LoginRecords(self.journal, self.history, self.clock.seconds)
        self.desk = Desk(
            portal=self.portal,
            accounts=self.directory,
            directory=self.directory,
            has_sources=bool(others),
            guard=self.guard,
            turns=Turns(self.clock, lambda below: below - 1),
            records=self.records,
            decoys=Decoys(b"d" * 32),
            clock=self.clock,
        )
        self.logins = Logins(self.desk, secrets.token_bytes, default_domain)

    def open_history(self):
        """As after a start of the server."""
        path = os.path.join(os.path.dirname(self.path), "logins.sqlite3")
        self.history = LoginHistory(path, NoThreads(), self.clock, self.clock.seconds, self.heed)
        self.secret, blocks = self.successResultOf(Deferred.fromCoroutine(self.history.start()))
        self.addCleanup(self.close_history, self.history)
        return blocks

    def close_history(self, history=None):
        """As at its end."""
        self.successResultOf(Deferred.fromCoroutine((history or self.history).stop()))

    def heed(self, request):
        self.guard.forgive(request.kind, request.subject)

    def _matches(self, credential, password):
        self.compared.append(credential.kind)
        return credentials.matches(credential, password)

    def session(self, host=STRANGER, service="pop3"):
        return Session(f"s{next(self._ids)}", Peer(host, 40000, service), protocol=service.upper())

    def connection(self, host=STRANGER, tls="TLSv1.3 X", bindings=()):
        connection = MemoryConnection(self.clock, host=host, tls=tls)
        connection.bindings = dict(bindings)
        return connection

    def login(self, name, password=PASSWORD, host=STRANGER, service="pop3", session=None):
        session = session or self.session(host, service)
        return Deferred.fromCoroutine(self.logins.check(name, password, session))

    def outcome(self, deferred):
        """The account, or the fault; the clock moves until there is one."""
        result = []
        deferred.addBoth(result.append)
        for _ in range(10 * MOST_SECONDS):
            if result:
                break
            self.clock.advance(0.125)
        [result] = result
        if hasattr(result, "value"):
            result.trap(LoginFailed)
            return result.value.fault
        return result

    def address(self, name, password=PASSWORD, **where):
        """Whom a name and a password let in; None if nobody."""
        outcome = self.outcome(self.login(name, password, **where))
        return str(outcome.address) if hasattr(outcome, "address") else None

    def seconds_of(self, name, password, **where):
        """How long the answer takes, by the clock."""
        begun = self.clock.seconds()
        self.outcome(self.login(name, password, **where))
        return round(self.clock.seconds() - begun, 1)
