"""Who may log in: names completed, passwords bounded, failures alike, old hashes renewed, nothing flooded."""

import os
import tempfile

import pytest
from fakes import MemoryJournal
from login_house import ALICE, FOREIGN, OLD, OWN, PASSWORD, LoginCase
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import Anonymous, IUsernamePassword
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase
from waiting import WaitingWorkers
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailsys.accounts import checker
from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.credentials import Credential, own_credentials
from mailsys.accounts.database import AccountsError, open_database
from mailsys.accounts.directory import Directory
from mailsys.accounts.gate import Gate
from mailsys.accounts.history.file import LoginFile
from mailsys.accounts.portal import IMailUser
from mailsys.accounts.recent import MOST, SECONDS, RecentLogins
from mailsys.config.schema import Auth
from mailsys.interfaces import ILoginExchange, ILogins, LoginFailed, LoginFault, Peer, Session
from mailsys.message.address import Address
from mailsys.threads import NoThreads, Workers


class LoginTests(LoginCase):
    def test_it_is_what_the_stations_expect(self):
        assert verifyObject(ILogins, self.logins)
        exchange = self.logins.begin("PLAIN", ("PLAIN",), self.session(), self.connection())
        assert verifyObject(ILoginExchange, exchange)
        assert verifyObject(ICredentialsChecker, self.stored)

    def test_names(self):
        assert self.address("alice@a.test") == "alice@a.test"
        assert self.address("Alice@A.TEST") == "alice@a.test"
        assert self.address("alice") == "alice@a.test"  # of the first domain
        assert self.address("alice+tag@a.test") is None
        assert self.address("alice@") is None
        self.database.aliases.add(Address("boss", "a.test"), [ALICE])
        assert self.address("boss@a.test") is None

    def test_a_name_is_completed_with_the_configured_domain(self):
        self.build(NoThreads(), default_domain="b.test")
        assert self.address("alice") is None
        self.database.domains.add("b.test")
        self.database.accounts.add([NewAccount(Address("alice", "b.test"), OWN)])
        self.clock.advance(1)
        assert self.address("alice") == "alice@b.test"

    @pytest.mark.row(20)
    def test_what_can_be_no_password_or_name_is_refused_without_work(self):
        """Endless responses, NULs and octets that are no UTF-8 cost no hash."""
        for password in ("", "x" * 5000, "geheim\0", "\udcff"):
            assert self.address("alice@a.test", password) is None
        for name in ("", "x" * 5000, "\udcff@a.test"):
            assert self.address(name) is None
        assert self.compared == []

    @pytest.mark.row(21)
    def test_an_unknown_name_costs_the_same_hash_as_a_wrong_password(self):
        """Guessing: unknown users, wrong passwords and disabled accounts do the same work."""
        assert self.address("alice@a.test", "wrong") is None
        for name in ("nobody@a.test", "nobody@elsewhere.test", "no address", "a@b@c", "x" * 70 + "@a.test"):
            assert self.address(name, "wrong") is None
        assert self.compared == ["argon2id"] * 6
        self.compared.clear()
        assert self.address("old@a.test", "wrong") is None
        assert self.compared == ["foreign", "argon2id"]

    def test_an_account_that_is_disabled_fails_alike(self):
        self.database.accounts.set_active(ALICE, False)
        assert self.address("alice@a.test") is None
        assert self.compared == ["argon2id"]
        self.database.accounts.set_active(ALICE, True)
        self.clock.advance(1)
        assert self.address("alice@a.test") == "alice@a.test"

    def test_an_account_without_a_password_lets_nobody_in(self):
        self.database.accounts.set_password(ALICE, [])
        assert self.address("alice@a.test") is None
        self.database.accounts.set_password(ALICE, OWN[1:])
        assert self.address("alice@a.test") is None

    def test_a_damaged_credential_is_told_as_unavailable(self):
        self.database.accounts.set_password(ALICE, [Credential("argon2id", "?")])
        assert self.outcome(self.login("alice@a.test")) is LoginFault.UNAVAILABLE

    def test_a_missing_database_is_told_as_unavailable(self):
        self.directory.close()
        self.directory._path = self.path + ".gone"
        assert self.outcome(self.login("alice@a.test")) is LoginFault.UNAVAILABLE
        assert self.outcome(self.login("alice")) is LoginFault.UNAVAILABLE
        self.flushLoggedErrors()


class RenewalTests(LoginCase):
    def test_a_foreign_hash_becomes_ours_at_the_first_login(self):
        assert self.address("old@a.test", "wrong") is None
        assert self.database.accounts.password(OLD) == FOREIGN
        assert self.address("old@a.test") == "old@a.test"
        assert self.database.accounts.password(OLD).kind == "argon2id"
        kinds = self.database._transactions.connection.execute(
            "SELECT kind FROM credentials WHERE account = 2"
        )
        assert sorted(kind for (kind,) in kinds) == ["argon2id", "scram-sha-256"]
        self.compared.clear()
        assert self.address("old@a.test") == "old@a.test"
        assert self.address("old@a.test", "wrong") is None
        assert self.compared == ["argon2id"]

    def test_a_renewal_that_fails_does_not_keep_anybody_out(self):
        def refuse(path):
            raise AccountsError("The disk is full.")

        self.patch(checker, "open_database", refuse)
        assert self.address("old@a.test") == "old@a.test"
        assert self.database.accounts.password(OLD) == FOREIGN

    def test_a_password_changed_meanwhile_is_not_undone(self):
        workers = WaitingWorkers()
        self.build(workers)
        login = self.login("old@a.test")
        new = own_credentials("new password")
        self.database.accounts.set_password(OLD, new)
        workers.work()
        assert self.successResultOf(login).address == OLD
        assert self.database.accounts.password(OLD) == new[0]


class RecentTests(LoginCase):
    def test_a_program_that_polls_costs_one_hash(self):
        for _ in range(10):
            assert self.address("alice@a.test") == "alice@a.test"
        assert len(self.compared) == 1
        self.clock.advance(SECONDS)
        assert self.address("alice@a.test") == "alice@a.test"
        assert len(self.compared) == 2

    def test_a_changed_password_counts_at_once(self):
        assert self.address("alice@a.test") == "alice@a.test"
        self.database.accounts.set_password(ALICE, own_credentials("new"))
        assert self.address("alice@a.test") is None
        assert self.address("alice@a.test", "new") == "alice@a.test"

    def test_a_disabled_account_is_out_within_a_moment(self):
        assert self.address("alice@a.test") == "alice@a.test"
        self.database.accounts.set_active(ALICE, False)
        self.clock.advance(1)
        assert self.address("alice@a.test") is None

    def test_wrong_passwords_are_not_remembered(self):
        for _ in range(3):
            assert self.address("alice@a.test", "wrong") is None
        assert len(self.compared) == 3

    def test_it_is_bounded_and_keeps_no_password(self):
        recent = RecentLogins(self.clock, b"k" * 32)
        for number in range(MOST + 5):
            recent.add(Address(f"u{number}", "a.test"), FOREIGN, "geheim")
        assert len(recent._until) == MOST
        assert not recent.has(Address("u0", "a.test"), FOREIGN, "geheim")
        assert recent.has(Address(f"u{MOST}", "a.test"), FOREIGN, "geheim")
        assert not any(b"geheim" in digest for digest in recent._until)

    def test_the_clock_may_be_set_back(self):
        recent = RecentLogins(self.clock, b"k" * 32)
        recent.add(ALICE, FOREIGN, "geheim")
        self.clock.advance(-3600)
        assert not recent.has(ALICE, FOREIGN, "geheim")


@implementer(ICredentialsChecker)
class FromElsewhere:
    """As a checker for PAM or LDAP would be."""

    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials):
        if credentials.checkPassword(b"from elsewhere"):
            return b"alice@a.test"
        raise UnauthorizedLogin


class PortalTests(LoginCase):
    def test_further_checkers_are_asked_in_order(self):
        self.build(NoThreads(), others=[FromElsewhere()])
        assert self.address("alice@a.test") == "alice@a.test"
        assert self.address("whoever@ldap.test", "from elsewhere") == "alice@a.test"
        assert self.address("whoever@ldap.test", "wrong") is None

    def test_nobody_is_let_in_without_a_name(self):
        self.failureResultOf(self.portal.login(Anonymous(), None, IMailUser), UnhandledCredentials)
        avatar = self.portal.realm.requestAvatar((), None, IMailUser)
        self.failureResultOf(avatar, UnauthorizedLogin)

    def test_somebody_without_an_account_here_stays_out(self):
        avatar = self.portal.realm.requestAvatar(b"nobody@a.test", None, IMailUser)
        self.failureResultOf(avatar, UnauthorizedLogin)

    def test_it_is_no_other_avatar(self):
        with pytest.raises(NotImplementedError):
            self.portal.realm.requestAvatar(b"alice@a.test", None, ICredentialsChecker)


class ThreadTests(TestCase):
    """With real threads, which open the database for themselves."""

    async def test_many_at_once(self):
        from twisted.internet import reactor

        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "accounts.sqlite3")
        database = open_database(path)
        self.addCleanup(database.close)
        database.domains.add("a.test")
        database.accounts.add([NewAccount(ALICE, OWN), NewAccount(OLD, [FOREIGN])])
        directory = Directory(path, reactor)
        self.addCleanup(directory.close)
        workers = Workers(reactor, 2, "hashing")
        workers.start()
        self.addCleanup(workers.stop)
        gate = Gate(
            path,
            directory,
            MemoryJournal(),
            reactor=reactor,
            hashing=workers,
            at_once=2,
            files=workers,
        )
        await gate.start()
        logins = gate.logins(Auth(), [], [])

        names = ["alice", "old", "nobody"] * 5
        session = Session("1", Peer("192.0.2.1", 40000, "pop3"))
        checks = [Deferred.fromCoroutine(logins.check(name, PASSWORD, session)) for name in names]
        found = [await self.found(check) for check in checks]
        await gate.stop()

        assert found == [ALICE, OLD, LoginFault.WRONG] * 5
        assert database.accounts.password(OLD).kind == OWN[0].kind
        [seen] = LoginFile(os.path.join(folder, "logins.sqlite3")).seen("alice@a.test")
        assert (seen.network, seen.service, seen.logins) == ("192.0.2.0/24", "pop3", 5)

    async def found(self, check):
        try:
            return (await check).address
        except LoginFailed as failed:
            return failed.fault
