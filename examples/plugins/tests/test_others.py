"""The header writer, the command and the store."""

import json
from argparse import ArgumentParser
from types import SimpleNamespace

import pytest

from mailsys.interfaces import Account, CannotDo, NoSettings
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.plugins import mailbox_sizes, organisation, sqlite_store
from mailsys.store.memory.store import MemoryStore
from mailsys.testing import (
    ControlCommandContract,
    HeaderWriterContract,
    PluginMakerContract,
    StoreContract,
    read_settings,
    result_of,
    services,
)

ANN, BOB = (Account(parse_address(f"{name}@example.org")) for name in ("ann", "bob"))


class TestOrganisationMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return organisation.organisation

    @pytest.fixture
    def table(self):
        return {"name": "Example Cooperative"}


class TestOrganisation(HeaderWriterContract):
    @pytest.fixture(params=["Example Cooperative", "Käseverein " * 20, "long " * 60])
    def writer(self, request, tmp_path):
        table = {"name": request.param, "policy": "https://example.org/mail"}
        return organisation.make(read_settings(organisation.organisation, table), services(tmp_path))


def test_what_it_writes(tmp_path):
    writer = organisation.make(
        organisation.Settings("Example Cooperative", "https://example.org"), services(tmp_path)
    )
    asked = writer.lines(Envelope("s.1", None, (ANN.address,)), MemoryContent([b""]))
    assert result_of(asked) == [
        b"X-Received-For: Example Cooperative\r\n",
        b"X-Mail-Policy: https://example.org\r\n",
    ]


class TestMailboxSizesMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return mailbox_sizes.mailbox_sizes


class TestMailboxSizes(ControlCommandContract):
    @pytest.fixture
    def command(self, tmp_path):
        return mailbox_sizes.make(NoSettings(), services(tmp_path))


def sizes(host, *words):
    parser = ArgumentParser()
    command = mailbox_sizes.MailboxSizes()
    command.add_arguments(parser)
    return result_of(command.run(parser.parse_args(words), host))


@pytest.fixture
def host():
    store = MemoryStore("life", 1, lambda account, folder: None)
    for account, octets in ((ANN, b"x" * 1000), (BOB, b"y"), (BOB, b"z")):
        action = store.drop.plan(account, account.address, b"", len(octets))
        store.drop.write(action, MemoryContent([octets]))
        store.drop.lay(action)
    return SimpleNamespace(store=store, accounts=lambda: [ANN, BOB])


def test_the_largest_first(host, capsys):
    assert sizes(host) == 0
    assert capsys.readouterr().out.split() == ["1,000", "1", "ann@example.org", "2", "2", "bob@example.org"]
    assert sizes(host, "--json", "--largest", "1") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"account": "ann@example.org", "messages": 1, "octets": 1000}
    ]


def test_a_mailbox_that_cannot_be_read_is_one_sentence(host):
    async def no(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    host.store = SimpleNamespace(open=no)
    with pytest.raises(CannotDo, match=r"ann@example\.org cannot be read: Permission denied\.$"):
        sizes(host)


class TestSqliteStoreMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return sqlite_store.sqlite_store

    @pytest.fixture
    def table(self):
        return {"file": "mail.sqlite3"}


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        self.folder = tmp_path
        return self.again(None)

    def again(self, store):
        return sqlite_store.make(
            sqlite_store.Settings(str(self.folder / "mail.sqlite3")), services(self.folder)
        )
