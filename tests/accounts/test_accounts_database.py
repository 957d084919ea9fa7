"""The accounts file: what it refuses, what it keeps, whose it is."""

import os
import sqlite3
import stat
import threading

import pytest

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.aliases import leading_to
from mailsys.accounts.credentials import Credential
from mailsys.accounts.database import AccountsError, open_database
from mailsys.accounts.schema import STEPS
from mailsys.message.address import Address, parse_address

SOME = (Credential("argon2id", "$argon2id$…"), Credential("scram-sha-256", "SCRAM-SHA-256$…"))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "data" / "accounts.sqlite3")


@pytest.fixture
def database(path):
    database = open_database(path, now=lambda: 1000.9)
    database.domains.add("a.test")
    database.domains.add("b.test")
    yield database
    database.close()


def add(database, *addresses, quota_bytes=None):
    database.accounts.add([NewAccount(parse_address(a), SOME, quota_bytes) for a in addresses])


def addresses(database):
    return [str(listed.account.address) for listed in database.accounts.all()]


def test_the_file_and_its_folder_are_private(database, path):
    modes = {
        name: stat.S_IMODE(os.stat(os.path.join(os.path.dirname(path), name)).st_mode)
        for name in os.listdir(os.path.dirname(path))
    }
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path):
    os.chown(tmp_path, 12345, 12346)
    database = open_database(str(tmp_path / "accounts.sqlite3"))
    database.domains.add("a.test")
    owners = {(entry.stat().st_uid, entry.stat().st_gid) for entry in os.scandir(tmp_path)}
    database.close()
    assert owners == {(12345, 12346)}


def test_a_change_is_synced_and_checked(database):
    connection = database._transactions.connection
    settings = [
        connection.execute(f"PRAGMA {p}").fetchone()[0]
        for p in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert settings == ["wal", 2, 1]


def test_a_file_of_a_newer_version_is_left_alone(database, path):
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(AccountsError, match="newer"):
        open_database(path)


def test_something_else_is_told_as_damaged(path):
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(b"this is no database at all" * 100)
    with pytest.raises(AccountsError, match="damaged"):
        open_database(path)


def test_a_file_of_somebody_else_is_told(database, path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(AccountsError, match=r"No permission for .*accounts\.sqlite3"):
        open_database(path)


def test_many_may_open_a_new_file_at_once(path):
    failures = []

    def open_and_close():
        try:
            open_database(path).close()
        except AccountsError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_and_close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_domains(database):
    with pytest.raises(AccountsError, match="exists already"):
        database.domains.add("a.test")
    add(database, "alice@a.test")
    with pytest.raises(AccountsError, match="still has 1 account"):
        database.domains.remove("a.test")
    database.aliases.add(parse_address("x@a.test"), [parse_address("alice@a.test")])
    database.domains.remove("a.test", with_contents=True)
    assert [domain.name for domain in database.domains.all()] == ["b.test"]
    assert addresses(database) == []
    with pytest.raises(AccountsError, match="not ours"):
        database.domains.remove("a.test")


def test_an_account_is_found_however_it_is_written(database):
    add(database, "Alice.Müller@A.test", quota_bytes=5)
    found = database.accounts.get(parse_address("ALICE.MÜLLER@a.test"))
    assert found is not None
    assert (str(found.address), found.quota_bytes, found.active) == ("alice.müller@a.test", 5, True)
    assert database.accounts.all()[0].created == 1000


def test_one_address_has_one_meaning(database):
    add(database, "alice@a.test")
    alias, alice = parse_address("x@a.test"), parse_address("alice@a.test")
    database.aliases.add(alias, [alice])
    for taken in ("ALICE@a.test", "x@a.test", "*@a.test", "alice@elsewhere.test"):
        with pytest.raises(AccountsError):
            add(database, taken)
    with pytest.raises(AccountsError, match="is an account"):
        database.aliases.add(alice, [alias])


def test_several_accounts_are_added_all_or_none(database):
    with pytest.raises(AccountsError):
        add(database, "one@a.test", "two@a.test", "two@a.test")
    assert addresses(database) == []


def test_a_password_is_replaced_whole(database):
    alice = parse_address("alice@a.test")
    add(database, "alice@a.test")
    foreign = Credential("foreign", "{SHA}x")
    database.accounts.set_password(alice, [foreign])
    assert database.accounts.password(alice) == foreign
    assert database.accounts.all()[0].has_foreign_password
    assert not database.accounts.renew_password(alice, SOME[0], SOME)
    assert database.accounts.renew_password(alice, foreign, SOME)
    assert database.accounts.password(alice) == SOME[0]


def test_an_unknown_account_is_told(database):
    nobody = parse_address("nobody@a.test")
    for change in (
        lambda: database.accounts.remove(nobody),
        lambda: database.accounts.set_password(nobody, SOME),
        lambda: database.accounts.set_quota(nobody, 5),
        lambda: database.accounts.set_active(nobody, False),
    ):
        with pytest.raises(AccountsError, match=r"no account nobody@a\.test"):
            change()


def test_targets_of_an_alias_keep_their_order(database):
    team = parse_address("team@a.test")
    outside = parse_address("Case.Matters@outside.test")
    first = database.aliases.add(team, [parse_address("Zoe@a.test"), outside])
    again = database.aliases.add(team, [parse_address("zoe@a.test"), parse_address("adam@a.test")])
    assert (len(first), list(map(str, again))) == (2, ["adam@a.test"])
    assert list(map(str, database.aliases.get(team))) == [
        "zoe@a.test",
        "Case.Matters@outside.test",
        "adam@a.test",
    ]
    database.aliases.remove(team, [outside])
    assert len(database.aliases.all("a.test")[team]) == 2
    with pytest.raises(AccountsError, match="no target"):
        database.aliases.remove(team, [outside])
    database.aliases.remove(team)
    assert database.aliases.all() == {}


def test_postmaster_is_always_somebody(database):
    assert database.postmaster("a.test") is None
    add(database, "zoe@b.test", "alice@b.test")
    assert str(database.postmaster("a.test")) == "zoe@b.test"
    add(database, "carol@a.test")
    assert str(database.postmaster("a.test")) == "carol@a.test"
    database.aliases.add(Address("postmaster", "a.test"), [parse_address("alice@b.test")])
    assert str(database.postmaster("a.test")) == "postmaster@a.test"


def test_which_aliases_lead_to_an_address():
    def named(name):
        return Address(name, "a.test")

    aliases = {"a": "b", "b": "cx", "d": "bc", "c": "a", "e": "x"}
    found = leading_to(named("c"), {named(name): tuple(map(named, to)) for name, to in aliases.items()})
    assert [address.local_part for address in found] == ["c", "b", "d", "a"]
    assert leading_to(named("z"), {}) == [named("z")]


def test_a_database_in_use_is_told_in_a_sentence(database, path, monkeypatch):
    monkeypatch.setattr("mailsys.accounts.connection.BUSY_SECONDS", 0.01)
    other = open_database(path)
    database._transactions.connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(AccountsError, match="try again"):
        other.domains.add("c.test")
    other.close()
