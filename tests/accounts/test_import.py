"""Accounts from Dovecot's passwd-file: all or none, every wrong line told, no password shown."""

import io
import time

import pytest

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.credentials import matches
from mailsys.accounts.database import open_database
from mailsys.accounts.importer import import_accounts
from mailsys.accounts.passwd_file import LINE_OCTETS, PasswdLine, read_lines
from mailsys.message.address import parse_address

GOOD = """\
# people
alice@a.test:{PLAIN}geheim

Bob@A.test:{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=:1000:1000:Bob:/home/bob:/bin/sh:userdb_quota_rule=*:storage=2G
carol@a.test:{SHA512-CRYPT}$6$saltsalt$""" + "a" * 86 + """::::::
"""  # fmt: skip


@pytest.fixture
def database(tmp_path):
    database = open_database(str(tmp_path / "accounts.sqlite3"))
    database.domains.add("a.test")
    yield database
    database.close()


def bring_in(database, text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return import_accounts(database, io.BytesIO(data), **options)


def line(text):
    (found,) = read_lines(io.BytesIO(text.encode()))
    return found


def test_a_good_file(database):
    imported = bring_in(database, GOOD)
    assert (imported.accounts, imported.foreign, imported.wrong) == (3, 2, ())
    listed = {str(a.account.address): a for a in database.accounts.all()}
    assert [a.has_foreign_password for a in listed.values()] == [False, True, True]
    assert listed["bob@a.test"].account.quota_bytes == 2 * 1024**3
    assert matches(database.accounts.password(parse_address("alice@a.test")), "geheim")
    assert matches(database.accounts.password(parse_address("bob@a.test")), "geheim")


def test_one_wrong_line_and_nothing_is_imported(database):
    text = "alice@a.test:{PLAIN}secret1\nbob@a.test:{NONE}secret2\nnobody:{PLAIN}secret3\n"
    imported = bring_in(database, text)
    assert imported.accounts == 0
    assert database.accounts.all() == []
    told = list(map(str, imported.wrong))
    assert [message.split(":")[0] for message in told] == ["line 2", "line 3"]
    assert "secret" not in "".join(told)


def test_the_others_when_told_to_keep_going(database):
    imported = bring_in(
        database, "alice@a.test:{PLAIN}x\nbob:{PLAIN}x\ncarol@a.test:{PLAIN}x", keep_going=True
    )
    assert (imported.accounts, len(imported.wrong)) == (2, 1)


def test_what_stands_in_the_way_is_told_for_each_line(database):
    database.accounts.add([NewAccount(parse_address("old@a.test"), [])])
    database.aliases.add(parse_address("alias@a.test"), [parse_address("old@a.test")])
    text = "".join(
        f"{address}:{{PLAIN}}x\n"
        for address in ("old@a.test", "alias@a.test", "x@b.test", "new@a.test", "NEW@a.test", "*@a.test")
    )
    wrong = {problem.number: problem.reason for problem in bring_in(database, text).wrong}
    assert sorted(wrong) == [1, 2, 3, 5, 6]
    assert "exists already" in wrong[1]
    assert "is an alias" in wrong[2]
    assert "not ours" in wrong[3]
    assert "line 4" in wrong[5]
    assert "catch-all" in wrong[6]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("alice@a.test", "no password"),
        ("alice@a.test:", "no password"),
        (":{PLAIN}x", "no address"),
        ("alice@a.test:geheim", "no scheme"),
        ("alice@a.test:{PLAIN}", "empty"),
        ("alice@a.test:{PLAIN}" + "x" * 1025, "longer than 1024"),
        ("alice@a.test:{PLAIN}a:b", "colon"),
        ("alice@a.test:{PLAIN}a:b:c:d", "colon"),
        ("alice@a.test:{PLAIN}a\0b", "NUL"),
        ("alice@a.test:{PLAIN}x::::::userdb_quota_rule=*:storage=much", "no size"),
        ("al ice@a.test:{PLAIN}x", "no address"),
    ],
)
def test_a_wrong_line_says_why(text, reason):
    assert reason in line(text).reason


@pytest.mark.parametrize(
    ("extra", "octets"),
    [
        ("userdb_quota_rule=*:storage=2G", 2 << 30),
        ("userdb_quota_rule=*:storage=100", 100 << 10),
        ("userdb_mail=x userdb_quota_rule=*:bytes=5M:messages=10", 5 << 20),
        ("userdb_quota_storage_size=1G", 1 << 30),
        ("quota_rule=*:storage=10MB", 10 << 20),
        ("userdb_quota_rule=*:storage=0", None),
        ("nologin", None),
        ("", None),
    ],
)
def test_quotas_of_dovecot(extra, octets):
    found = line(f"alice@a.test:{{PLAIN}}x:1000:1000::/home::{extra}")
    assert isinstance(found, PasswdLine)
    assert found.quota_bytes == octets


def test_endless_lines_and_wrong_octets_are_told_and_passed_over(database):
    data = (
        b"x" * (3 * LINE_OCTETS) + b"\nalice@a.test:{PLAIN}\xff\xff\nbob@a.test:{PLAIN}x\r\n" + b"y" * 99999
    )
    imported = bring_in(database, data, keep_going=True)
    assert [problem.number for problem in imported.wrong] == [1, 2, 4]
    assert imported.accounts == 1
    assert matches(database.accounts.password(parse_address("bob@a.test")), "x")


def test_fifty_passwords_in_clear_take_seconds_at_most(database):
    started = time.monotonic()
    imported = bring_in(database, "".join(f"user{n}@a.test:{{PLAIN}}pw\n" for n in range(53)))
    assert imported.accounts == 53
    assert time.monotonic() - started < 30  # about two on an idle machine with two cores
