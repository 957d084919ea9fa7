"""Our own judges, routers and accounts, and the stand-ins of our tests, pass what plugins must pass."""

import pytest
from fakes import MemoryDelivery
from judge_house import surroundings
from plugin_house import guard_of, result_of
from plugin_makers import greylist
from twisted.internet.task import Clock

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.checker import StoredPasswords
from mailsys.accounts.credentials import own_credentials
from mailsys.accounts.database import open_database
from mailsys.accounts.directory import Directory
from mailsys.accounts.hashing import HashingQueue
from mailsys.accounts.recent import RecentLogins
from mailsys.accounts.sources import DirectoryWithSources
from mailsys.config.schema import Configuration
from mailsys.extensions.delivery import GuardedDelivery
from mailsys.extensions.headers import GuardedHeaderWriters
from mailsys.extensions.judge import GuardedJudge
from mailsys.extensions.router import GuardedAccounts, GuardedRouter
from mailsys.interfaces import Account, IJudge
from mailsys.judge.builtin import BUILTIN
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import parse_address
from mailsys.route.deliveries import DeliveryRouter
from mailsys.route.in_order import RoutersInOrder
from mailsys.route.router import Router
from mailsys.testing import (
    AccountsContract,
    DeliveryContract,
    HeaderWriterContract,
    JudgeContract,
    PluginMakerContract,
    RouterContract,
)
from mailsys.threads import NoThreads

CONFIGURATION = Configuration(hostname="mail.example.org")


class TestBuiltinJudges(JudgeContract):
    @pytest.fixture(params=sorted(BUILTIN))
    def judge(self, request):
        return BUILTIN[request.param](surroundings(CONFIGURATION))


class TestGuardedJudge(JudgeContract):
    @pytest.fixture
    def judge(self):
        return GuardedJudge(SilentJudge(), guard_of())


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    """A database with ann and bob, and an alias to both."""
    path = str(tmp_path_factory.mktemp("accounts") / "accounts.sqlite3")
    database = open_database(path)
    database.domains.add("example.org")
    new = [NewAccount(parse_address(name), own_credentials(word)) for name, word in PASSWORDS.items()]
    database.accounts.add(new)
    database.aliases.add(parse_address("all@example.org"), [account.address for account in new])
    database.close()
    return path


PASSWORDS = {"ann@example.org": "correct horse", "bob@example.org": "pässword 2"}


class TestDirectory(AccountsContract):
    known = ("ann@example.org", "bob@example.org")

    @pytest.fixture
    def source(self, accounts):
        directory = Directory(accounts, Clock())
        yield directory
        directory.close()

    def test_it_provides_the_interfaces(self, source):
        """It is a whole directory and more than a source."""


class TestStoredPasswords(AccountsContract):
    passwords = PASSWORDS

    @pytest.fixture
    def source(self, accounts):
        directory = Directory(accounts, Clock())
        yield StoredPasswords(
            directory, accounts, HashingQueue(NoThreads(), 1), RecentLogins(Clock(), b"key")
        )
        directory.close()


class TestGuardedAccounts(AccountsContract):
    known = ("ann@example.org", "bob@example.org")

    @pytest.fixture
    def source(self, accounts):
        directory = Directory(accounts, Clock())
        yield GuardedAccounts(directory, guard_of())
        directory.close()


class TestRouter(RouterContract):
    known = ("ann@example.org", "ann+tag@example.org", "all@example.org", "postmaster@example.org")

    @pytest.fixture
    def router(self, accounts):
        directory = Directory(accounts, Clock())
        yield Router(directory, "+")
        directory.close()


class TestRoutersWithDeliveries(RouterContract):
    known = ("tickets@example.org", "tickets+1@example.org", "x@lists.example", "ann@example.org")

    @pytest.fixture
    def router(self, accounts):
        directory = Directory(accounts, Clock())
        deliveries = {parse_address("tickets@example.org"): "pipe", "lists.example": "pipe"}
        yield GuardedRouter(
            RoutersInOrder([DeliveryRouter(deliveries, "+"), Router(directory, "+")]), guard_of()
        )
        directory.close()


class TestStandInDelivery(DeliveryContract):
    @pytest.fixture
    def delivery(self):
        return GuardedDelivery(MemoryDelivery(), guard_of())


class TestNoHeaderWriters(HeaderWriterContract):
    @pytest.fixture
    def writer(self):
        return GuardedHeaderWriters([])


class TestMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        maker = greylist()
        maker._make = lambda settings, services: SilentJudge()
        assert maker.makes is IJudge
        return maker


class Further:
    """A source that knows eve, and says that it knows ann, too."""

    async def account(self, address):
        return Account(address, 7) if address.local_part in ("eve", "ann", "all", "x") else None


def test_a_further_source_adds_to_our_own_accounts_and_changes_none(accounts):
    directory = Directory(accounts, Clock())
    both = DirectoryWithSources(directory, [Further()])

    def account(text):
        return result_of(both.account(parse_address(text)))

    assert account("eve@example.org") == Account(parse_address("eve@example.org"), 7)
    assert account("ann@example.org") == Account(parse_address("ann@example.org"), None)
    assert account("all@example.org") is None  # an alias of ours
    assert account("eve@elsewhere.example") is None  # not our domain
    assert account("nobody@example.org") is None
    directory.close()
