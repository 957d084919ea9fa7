"""``mailsys logins`` as a person on the telephone needs it."""

import io
import json
import time
from datetime import UTC

import pytest

from mailsys.accounts.history.file import FILE_NAME, LoginFile
from mailsys.accounts.history.rows import Failures, Seen, StoredBlock
from mailsys.control import main
from mailsys.control.login_story import LoginStory

AT = 1_795_435_445.0  # 2026-11-23 12:04:05 UTC
HOME = Seen(
    "bob@example.org", "192.0.2.0/24", "pop3", AT - 86_400, AT, 1204, "192.0.2.7", "PLAIN", "TLSv1.3", ""
)
LAPTOP = Seen("bob@example.org", "2001:db8::/64", "smtp", AT, AT, 1, "2001:db8::7", "password", "", "laptop")
WRONG = Failures(
    "bob@example.org",
    "198.51.100.0/24",
    "smtp",
    "wrong password",
    AT,
    AT + 60,
    12,
    "198.51.100.7",
    "LOGIN",
    "",
)
STRANGE = Failures(
    "",
    "198.51.100.0/24",
    "pop3",
    "there is no such account",
    AT,
    AT,
    1,
    "198.51.100.7",
    "password",
    "bbo@x.org",
)


@pytest.fixture
def host(tmp_path):
    (tmp_path / "mailsys.toml").write_text('hostname = "mail.example.org"\ndata = "data"\n')
    main(["--config", str(tmp_path / "mailsys.toml"), "domain", "add", "example.org"])
    return tmp_path


@pytest.fixture
def command(host, capsys, monkeypatch):
    def command(*arguments, told=""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(told.encode())))
        status = main(["--config", str(host / "mailsys.toml"), *arguments])
        return status, *capsys.readouterr()

    return command


@pytest.fixture
def bob(command):
    status, _, error = command("account", "add", "bob@example.org", "--password-stdin", told="geheim\n")
    assert status == 0, error


@pytest.fixture
def file(host):
    file = LoginFile(str(host / "data" / FILE_NAME))
    yield file
    file.close()


def blocks():
    now = time.time()
    return [
        StoredBlock("account", "bob@example.org", now, now + 900, "bob@example.org"),
        StoredBlock("address", "198.51.100.7", now, now + 900, "bob@example.org"),
        StoredBlock("network", "203.0.113.0/24", now, now + 900, "eve@example.org"),
    ]


def test_the_whole_story_in_sentences():
    block = StoredBlock("account", "bob@example.org", AT, AT + 900, "bob@example.org")
    story = LoginStory("bob@example.org", "bob@example.org may log in.", [HOME, LAPTOP], [WRONG], [block])
    assert list(story.tell(UTC)) == [
        "bob@example.org may log in.",
        "Logged in, the last at the end:",
        "  2026-11-23 12:04  POP3 from 192.0.2.7, with PLAIN over TLSv1.3;"
        " 1,204 times from 192.0.2.0/24 since 2026-11-22 12:04.",
        "  2026-11-23 12:04  SMTP from 2001:db8::7, with a password without TLS,"
        " a program that calls itself laptop; once from 2001:db8::/64 since 2026-11-23 12:04.",
        "Refused, the last at the end:",
        "  2026-11-23 12:05  SMTP from 198.51.100.7, with LOGIN: wrong password;"
        " 12 times from 198.51.100.0/24 since 2026-11-23 12:04.",
        "Until 2026-11-23 12:19 nobody can log in as bob@example.org from a network where it has not"
        " logged in before: there were too many wrong passwords.",
        "To lift this block: mailsys logins bob@example.org --forgive",
    ]


def test_one_account(command, bob, file):
    file.write([HOME, LAPTOP], [WRONG, STRANGE], blocks())
    status, said, _ = command("logins", "Bob@example.org")
    assert status == 0
    assert said.startswith("bob@example.org may log in.\n")
    assert said.count("198.51.100.7") == 2  # the failures, and the block of the address
    assert "203.0.113.0" not in said
    status, said, _ = command("logins", "bob@example.org", "--since", "2h", "--json")
    story = json.loads(said)
    assert (story["logins"], story["failures"], len(story["blocks"])) == ([], [], 2)


def test_why_a_password_is_refused(command, bob, file):
    """Before anything was tried: disabled, an alias, a name that is none but near one."""
    assert command("logins", "bob@example.org")[1].endswith("No login was tried that is still remembered.\n")
    command("account", "disable", "bob@example.org")
    assert "is disabled, so every login is refused" in command("logins", "bob@example.org")[1]
    command("alias", "add", "boss@example.org", "bob@example.org")
    assert "boss@example.org is an alias of bob@example.org" in command("logins", "boss@example.org")[1]
    assert "Was bob@example.org meant?" in command("logins", "bob2@example.org")[1]


def test_a_name_that_is_none_with_its_failures(command, file):
    file.write([], [STRANGE], [])
    said = command("logins", "bbo@x.org")[1]
    assert said.startswith("There is no account bbo@x.org, so every login is refused.\nRefused")


def test_an_address_a_network_and_everybody(command, bob, file):
    file.write([HOME], [WRONG], blocks())
    for wanted in ("198.51.100.7", "198.51.100.0/24"):
        said = command("logins", wanted)[1]
        assert "bob@example.org, SMTP from 198.51.100.7" in said
        assert f"mailsys logins {wanted} --forgive" in said
    said = command("logins", "--since", "2020-01-01")[1]
    assert said.count("Until ") == 3
    assert "bob@example.org, POP3 from 192.0.2.7" in said


def test_forgiving(command, bob, file):
    """The blocks of the account, and those of places that it led to; others stay."""
    file.write([], [], blocks())
    status, said, _ = command("logins", "bob@example.org", "--forgive")
    assert said == (
        "Lifted: account bob@example.org, address 198.51.100.7.  A running server knows within a second.\n"
    )
    [left] = file.blocks(time.time())
    assert left.subject == "203.0.113.0/24"
    assert "Lifted: network 203.0.113.0/24" in command("logins", "203.0.113.9", "--forgive")[1]
    assert "Nothing was blocked" in command("logins", "bob@example.org", "--forgive")[1]
    status, _, error = command("logins", "--forgive")
    assert (status, error.startswith("mailsys: Say whom to forgive")) == (1, True)


def test_without_a_server_yet(command, bob):
    status, _, error = command("logins", "bob@example.org")
    assert status == 1
    assert "Nothing is known of logins yet" in error


def test_what_cannot_be_read(command, host):
    (host / "data" / FILE_NAME).write_bytes(b"no database" * 100)
    status, _, error = command("logins", "bob@example.org")
    assert (status, "cannot be read" in error) == (1, True)
    assert command("logins", "--since", "some day")[0] == 1
    assert command("logins", "no address")[0] == 1


def test_an_account_that_is_removed_is_forgotten(command, bob, file):
    file.write([HOME], [], [])
    assert command("account", "remove", "bob@example.org")[0] == 0
    assert file.seen("bob@example.org") == []
