"""The server's view of the accounts: right within a moment, cheap, and honest when it is blind."""

import os
import tempfile
import timeit

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.credentials import Credential
from mailsys.accounts.database import open_database
from mailsys.accounts.directory import CHECK_SECONDS, MOST_ANSWERS, Directory
from mailsys.interfaces import Account, DirectoryUnavailable, IDirectory
from mailsys.message.address import Address, parse_address

ALICE = parse_address("alice@a.test")


def result(coroutine):
    """What a coroutine that waits for nothing returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


class DirectoryTests(SynchronousTestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = os.path.join(folder, "accounts.sqlite3")
        self.database = open_database(self.path)
        self.addCleanup(lambda: self.database.close())
        self.database.domains.add("a.test")
        self.database.accounts.add([NewAccount(ALICE, [Credential("foreign", "{SHA}x")], 99)])
        self.clock = Clock()
        self.directory = Directory(self.path, self.clock)
        self.addCleanup(self.directory.close)

    def ask(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def test_it_is_a_directory(self):
        assert verifyObject(IDirectory, self.directory)

    def test_it_answers_what_is_stored(self):
        self.database.aliases.add(Address("*", "a.test"), [ALICE])
        assert self.ask(self.directory.is_local("a.test"))
        assert not self.ask(self.directory.is_local("b.test"))
        assert self.ask(self.directory.account(ALICE)) == Account(ALICE, 99, True)
        assert self.ask(self.directory.account(Address("bob", "a.test"))) is None
        assert self.ask(self.directory.alias(Address("*", "a.test"))) == (ALICE,)
        assert self.ask(self.directory.alias(ALICE)) is None
        assert self.ask(self.directory.password(ALICE)) == Credential("foreign", "{SHA}x")
        assert self.ask(self.directory.postmaster("a.test")).address == ALICE
        assert self.ask(self.directory.first_domain()) == "a.test"

    def test_a_change_is_seen_within_a_moment(self):
        bob = Address("bob", "a.test")
        assert self.ask(self.directory.account(bob)) is None
        self.database.accounts.add([NewAccount(bob, [])])
        self.clock.advance(CHECK_SECONDS)
        assert self.ask(self.directory.account(bob)) is not None
        self.database.accounts.remove(bob)
        self.clock.advance(-3600)  # the clock was set back
        assert self.ask(self.directory.account(bob)) is None

    def test_names_that_nobody_has_fill_no_memory(self):
        for number in range(MOST_ANSWERS + 10):
            result(self.directory.account(Address(f"x{number}", "a.test")))
        assert len(self.directory._answers) <= MOST_ANSWERS

    def test_a_missing_file_is_told_and_its_return_is_noticed(self):
        self.database.close()
        os.rename(self.path, self.path + ".away")
        self.failureResultOf(Deferred.fromCoroutine(self.directory.is_local("a.test")), DirectoryUnavailable)
        self.failureResultOf(Deferred.fromCoroutine(self.directory.password(ALICE)), DirectoryUnavailable)
        os.rename(self.path + ".away", self.path)
        assert self.ask(self.directory.is_local("a.test"))
        self.flushLoggedErrors()

    def test_damage_is_told(self):
        self.database.close()
        with open(self.path, "r+b") as file:
            file.write(b"\0" * os.path.getsize(self.path))
        self.failureResultOf(Deferred.fromCoroutine(self.directory.is_local("a.test")), DirectoryUnavailable)
        self.flushLoggedErrors()

    def test_an_answer_from_memory_costs_microseconds(self):
        def ask():
            return result(self.directory.account(ALICE))

        ask()
        assert min(timeit.repeat(ask, number=1000, repeat=5)) / 1000 < 100e-6
