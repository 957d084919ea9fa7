"""``mailsys domain``, ``account`` and ``alias``: what they do, what they say, and how they end."""

import io
import json
import os
import subprocess
import sys
import time
from contextlib import closing

import pytest

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.credentials import Credential, matches
from mailsys.accounts.database import open_database
from mailsys.control import main, new_password
from mailsys.message.address import parse_address

CONFIGURATION = 'hostname = "mail.a.test"\n'


@pytest.fixture
def configuration(tmp_path):
    path = tmp_path / "mailsys.toml"
    path.write_text(CONFIGURATION)
    return path


@pytest.fixture
def run(configuration, capsys, monkeypatch):
    """Run a command with bytes on its standard input; returns the exit status, and both outputs."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        status = main(["--config", str(configuration), *arguments])
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


@pytest.fixture
def database(configuration):
    """What a server would see beside the commands."""
    database = open_database(str(configuration.parent / "data" / "accounts.sqlite3"))
    yield database
    database.close()


@pytest.fixture
def host(run):
    """A host with a domain and somebody."""
    assert run("domain", "add", "a.test")[0] == 0
    assert run("account", "add", "alice@a.test", "--password-stdin", stdin=b"geheim\n")[0] == 0
    return run


def refused(outcome, words):
    status, output, error = outcome
    assert status == 1
    assert output == ""
    assert words in error
    assert error.startswith("mailsys: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_domains(run):
    status, output, _ = run("domain", "add", "a.test", "bücher.test")
    assert status == 0
    assert "Nobody gets the mail for postmaster@a.test yet" in output
    assert json.loads(run("domain", "list", "--json")[1]) == [
        {"domain": "a.test", "accounts": 0, "aliases": 0},
        {"domain": "xn--bcher-kva.test", "accounts": 0, "aliases": 0},
    ]
    assert "bücher.test" in run("domain", "list")[1]
    refused(run("domain", "add", "A.test"), "exists already")
    refused(run("domain", "add", "not a domain"), "is no domain")
    refused(run("domain", "add", "[192.0.2.1]"), "is no domain")
    assert run("domain", "remove", "bücher.test")[0] == 0
    refused(run("domain", "remove", "bücher.test"), "not ours")


def test_who_gets_postmasters_mail_is_said(host):
    assert "goes to alice@a.test, until" in host("domain", "add", "b.test")[1]


def test_a_domain_with_accounts_goes_only_by_force_and_its_mail_stays(host, configuration):
    refused(host("domain", "remove", "a.test"), "still has 1 account")
    status, output, _ = host("domain", "remove", "a.test", "--force")
    assert status == 0
    assert f"stays in {configuration.parent}/data/mail/a.test/alice." in output
    assert json.loads(host("domain", "list", "--json")[1]) == []


def test_an_account_from_standard_input(host, database):
    status, output, _ = host(
        "account", "add", "Bob@a.test", "--password-stdin", "--quota", "2G", stdin="pässword\r\n".encode()
    )
    assert (status, output) == (0, "The account bob@a.test was added.\n")
    bob = parse_address("bob@a.test")
    assert database.accounts.get(bob).quota_bytes == 2 * 1024**3
    assert matches(database.accounts.password(bob), "pässword")


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["alice@a.test"], b"x\n", "exists already"),
        (["bob@b.test"], b"x\n", "not ours; add it with 'mailsys domain add b.test'"),
        (["bob"], b"x\n", "is no address"),
        (["*@a.test"], b"x\n", "catch-all"),
        (["bob@a.test"], b"", "1 to 1024"),
        (["bob@a.test"], b"\n", "1 to 1024"),
        (["bob@a.test"], b"x" * 5000, "1 to 1024"),
        (["bob@a.test"], b"\xff\n", "not UTF-8"),
        (["bob@a.test", "--quota", "much"], b"x\n", "is not a size"),
        (["bob@a.test", "--quota", "0"], b"x\n", "would refuse all mail"),
    ],
)
def test_an_account_that_cannot_be_added(host, arguments, stdin, words):
    refused(host("account", "add", *arguments, "--password-stdin", stdin=stdin), words)
    assert len(json.loads(host("account", "list", "--json")[1])) == 1


class Terminal(io.StringIO):
    """Where a person sits."""

    def isatty(self):
        return True


def test_a_terminal_is_asked_twice(host, database, monkeypatch):
    refused(host("account", "password", "alice@a.test"), "--password-stdin")
    answers = ["one", "other", "new", "new"]
    monkeypatch.setattr(new_password.getpass, "getpass", lambda _: answers.pop(0))
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(new_password.CannotDo, match="not the same"):
        new_password._from_terminal(parse_address("alice@a.test"))
    assert new_password._from_terminal(parse_address("alice@a.test")) == "new"


def test_a_new_password(host, database):
    assert host("account", "password", "ALICE@a.test", "--password-stdin", stdin=b"neu")[0] == 0
    stored = database.accounts.password(parse_address("alice@a.test"))
    assert matches(stored, "neu")
    assert not matches(stored, "geheim")
    refused(host("account", "password", "bob@a.test", "--password-stdin", stdin=b"x"), "There is no account")


def test_the_list_of_accounts(host, database):
    foreign = [Credential("foreign", "{SHA}x")]
    database.accounts.add([NewAccount(parse_address("bob@a.test"), foreign, 5 * 1024**2)])
    assert host("account", "disable", "bob@a.test")[0] == 0
    rows = json.loads(host("account", "list", "--json")[1])
    assert [set(row) for row in rows] == [{"address", "quota_bytes", "active", "created", "password"}] * 2
    assert rows[1] | {"created": ""} == {
        "address": "bob@a.test",
        "quota_bytes": 5 * 1024**2,
        "active": False,
        "created": "",
        "password": "foreign",
    }
    lines = host("account", "list", "a.test")[1].splitlines()
    assert [line.split() for line in lines] == [
        ["ACCOUNT", "QUOTA", "LOGIN", "PASSWORD"],
        ["alice@a.test", "none", "yes", "ours"],
        ["bob@a.test", "5M", "disabled", "foreign"],
    ]
    refused(host("account", "list", "b.test"), "not ours")
    assert host("account", "enable", "bob@a.test")[0] == 0
    assert database.accounts.get(parse_address("bob@a.test")).active


def test_a_quota_is_changed(host, database):
    assert host("account", "quota", "alice@a.test", "100M")[1] == "The quota of alice@a.test is 100M.\n"
    assert database.accounts.get(parse_address("alice@a.test")).quota_bytes == 100 * 1024**2
    assert host("account", "quota", "alice@a.test", "none")[0] == 0
    assert database.accounts.get(parse_address("alice@a.test")).quota_bytes is None


def test_an_account_is_removed_and_its_mail_stays(host, configuration):
    mail = configuration.parent / "data" / "mail" / "a.test" / "alice" / "new"
    mail.mkdir(parents=True)
    (mail / "1").write_text("precious")
    host("alias", "add", "boss@a.test", "alice@a.test")
    status, output, _ = host("account", "remove", "alice@a.test")
    assert status == 0
    assert f"stays in {mail.parent}." in output
    assert "the alias boss@a.test still stands for it" in output
    assert (mail / "1").read_text() == "precious"
    refused(host("account", "remove", "alice@a.test"), "There is no account")


def test_a_new_account_is_told_of_the_mail_that_is_there_already(host, configuration):
    mail = configuration.parent / "data" / "mail" / "a.test" / "bob"
    (mail / "cur").mkdir(parents=True)
    _, output, _ = host("account", "add", "bob@a.test", "--password-stdin", stdin=b"geheim\n")
    assert f"is there already, in {mail}, and its owner will read the mail in it" in output
    _, output, _ = host("account", "add", "eve@a.test", "--password-stdin", stdin=b"geheim\n")
    assert output == "The account eve@a.test was added.\n"


def test_import(host, tmp_path):
    file = tmp_path / "passwd"
    file.write_text("bob@a.test:{PLAIN}x\ncarol@a.test:{SHA}kGByAB793z4R5tK1eC9Hd/4Dhzk=\n")
    status, output, _ = host("account", "import", str(file))
    assert status == 0
    assert output == "2 accounts were imported, 1 of them with a hash that is renewed at the first login.\n"
    status, output, error = host("account", "import", str(file))
    assert (status, output) == (1, "")
    assert f"{file}: line 1: The account bob@a.test exists already." in error
    assert error.endswith(
        "Nothing was imported; put the lines above right, or leave them out with --keep-going.\n"
    )
    file.write_text("bob@a.test:{PLAIN}x\ndave@a.test:{PLAIN}x\n")
    status, output, error = host("account", "import", "--keep-going", str(file))
    assert (status, output) == (1, "1 account was imported.\n")
    refused(host("account", "import", str(tmp_path / "nowhere")), "cannot be read")


def test_aliases_and_what_is_odd_about_them(host):
    status, output, _ = host(
        "alias", "add", "team@a.test", "alice@a.test", "x@outside.test", "nobody@a.test", "alice@a.test"
    )
    assert status == 0
    assert output.splitlines()[0] == "team@a.test stands for alice@a.test, x@outside.test, nobody@a.test."
    notes = output.splitlines()[1:]
    assert all(note.startswith("Note: ") for note in notes)
    assert ["twice" in notes[0], "is forwarded there" in notes[1], "does not exist" in notes[2]] == [True] * 3
    host("alias", "remove", "team@a.test", "x@outside.test", "nobody@a.test")
    assert json.loads(host("alias", "list", "--json")[1]) == [
        {"address": "team@a.test", "targets": ["alice@a.test"]}
    ]
    assert "team@a.test" in host("alias", "list", "a.test")[1]
    assert host("alias", "remove", "team@a.test")[1] == "team@a.test is no alias now.\n"
    refused(host("alias", "remove", "team@a.test"), "There is no alias")
    refused(host("alias", "add", "alice@a.test", "team@a.test"), "is an account")


def test_targets_that_exist_need_no_note(host):
    targets = ("alice+tag@a.test", "postmaster@a.test")
    assert "Note" not in host("alias", "add", "team@a.test", *targets)[1]
    host("alias", "add", "*@a.test", "alice@a.test")
    assert "Note" not in host("alias", "add", "other@a.test", "whoever@a.test")[1]


def test_circles_are_told(host):
    host("alias", "add", "one@a.test", "two@a.test")
    assert "one@a.test → two@a.test → one@a.test" in _unwrapped(
        host("alias", "add", "two@a.test", "one@a.test")
    )
    assert "circle" in host("alias", "add", "*@a.test", "nobody@a.test")[1]


def test_a_chain_that_has_become_too_long_is_told(host):
    for number in range(10, 0, -1):
        target = f"a{number + 1}@a.test" if number < 10 else "alice@a.test"
        assert "Note" not in host("alias", "add", f"a{number}@a.test", target)[1]
    note = host("alias", "add", "a0@a.test", "a1@a.test")[1].splitlines()[1]
    assert note.startswith("Note: mail for a0@a.test is refused: more than 10 aliases in a row: a0@a.test → ")
    host("alias", "remove", "a0@a.test")
    # At the other end, the aliases that lead here suffer.
    host("alias", "add", "b@a.test", "alice@a.test")
    host("alias", "remove", "a10@a.test")
    assert "mail for a1@a.test is refused: more than 10" in host("alias", "add", "a10@a.test", "b@a.test")[1]


def _unwrapped(outcome):
    way = outcome[1].rsplit(": ", 1)[1].rstrip(".\n")
    return way if way.startswith("one") else " → ".join([*way.split(" → ")[1:], way.split(" → ")[1]])


def test_a_configuration_with_mistakes_is_told(run, configuration):
    configuration.write_text("hostnam = 5\n")
    status, output, error = run("domain", "list")
    assert (status, output) == (1, "")
    assert "hostnam" in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_without_permission_a_sentence(run, configuration):
    data = configuration.parent / "data"
    data.mkdir()
    data.chmod(0o500)
    refused(run("domain", "list"), "No permission")


def test_a_command_starts_quickly(configuration):
    command = [sys.executable, "-m", "mailsys", "--config", str(configuration), "domain", "list", "--json"]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    times = []
    for _ in range(3):
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=True)
        times.append(time.monotonic() - started)
    assert done.stdout == b"[]\n"
    assert min(times) < 1.5  # a third of a second on an idle machine


def test_a_command_imports_nothing_heavy(configuration):
    program = (
        "import sys; from mailsys.control import main;"
        f" main(['--config', {str(configuration)!r}, 'domain', 'list']);"
        " print([m for m in ('cryptography', 'OpenSSL', 'twisted.internet.reactor') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=True, text=True
    )
    assert done.stdout == "[]\n"


def test_the_commands_work_beside_one_another(configuration):
    """As many at once as somebody's script may start: each does its part, none is lost."""
    command = [sys.executable, "-m", "mailsys", "--config", str(configuration), "domain", "add"]
    running = [
        subprocess.Popen([*command, f"d{n}.test"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for n in range(6)
    ]
    assert [process.communicate(timeout=60)[1] for process in running] == [b""] * 6
    with closing(open_database(str(configuration.parent / "data" / "accounts.sqlite3"))) as database:
        assert len(database.domains.all()) == 6
