"""``mailsys read --plain`` as people and scripts call it, at our own host and at Debian's Dovecot."""

import json
import subprocess
import sys
from email.message import EmailMessage

import pytest
from dovecot_server import DovecotServer
from exchange import SECONDS, deliver, needs

from mailsys.control import main


def letter(number, subject="Grüße aus Köln", text="Guten Tag,\nhier ist alles gut.\n", name="liste.pdf"):
    message = EmailMessage()
    message["From"] = "Ann Smith <ann@example.org>"
    message["To"] = "somebody@system.test"
    message["Date"] = "Mon, 23 Nov 2026 12:00:00 +0000"
    message["Subject"] = f"{subject} {number}"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    message.add_attachment(b"%PDF", "application", "pdf", filename=name)
    return message.as_bytes().replace(b"\n", b"\r\n")


DOVECOTS = "secret"  # what it takes for a password
HOSTILE = (
    b"From: =?utf-8?q?boss=40ours=1B[2J=E2=80=AE?= <x@evil.example>\r\n"
    b"Subject: =?utf-8?q?=1B]0;a=07=E2=80=AE?=\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n" + "\x1b]0;owned\x07\x1b[2J\u202e".encode() + b"\r\n"
)


def read(*arguments, password=None):
    """Status, standard output and standard error."""
    command = [sys.executable, "-m", "mailsys", "read", *map(str, arguments)]
    told = b"" if password is None else password.encode() + b"\n"
    if password is not None:
        command.append("--password-stdin")
    done = subprocess.run(command, input=told, capture_output=True, timeout=SECONDS * 2, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def at_host(host, someone):
    """Reads somebody's mail at our own host; the service is one of imap, imaps, pop3, pop3s."""
    for number in (1, 2):
        deliver(host, someone, letter(number))

    def call(service, *arguments, password=someone.password, trust=True):
        where = f"{host.organisation.address}:{host.organisation.port(service)}"
        trusted = ["--trust", host.certificate] if trust else []
        option = f"--{service.removesuffix('s')}"
        options = ["--plain", "--account", someone.address, option, where, *trusted]
        return read(*options, *arguments, password=password)

    return call


@pytest.fixture(scope="module")
def dovecot():
    server = DovecotServer("plain login", [letter(number) for number in range(1, 4)])
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def dovecot_with_scram():
    server = DovecotServer("scram-sha-256", [letter(1)])
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(("service", "tls"), [("imaps", "implicit"), ("pop3", "starttls")])
def test_the_list_and_one_message(at_host, service, tls):
    status, said, wrong = at_host(service, "--list", "--tls", tls)
    assert (status, wrong) == (0, "")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert "2026-11-23" in lines[1]
    assert "Ann Smith <ann@example.org>  Grüße aus Köln 2" in lines[1]
    assert "Guten Tag, hier ist alles gut." in lines[1]
    status, said, wrong = at_host(service, "--show", "2", "--tls", tls)
    assert (status, wrong) == (0, "")
    assert "From:    Ann Smith <ann@example.org>\n" in said
    assert "\n\nGuten Tag,\nhier ist alles gut.\n\nAttached: liste.pdf (application/pdf" in said


def test_json_for_scripts(at_host):
    listed = json.loads(at_host("imap", "--list", "--json")[1])
    assert [entry["number"] for entry in listed] == [1, 2]
    assert listed[0]["from"] == {"name": "Ann Smith", "address": "ann@example.org"}
    assert (listed[0]["subject"], listed[0]["seen"]) == ("Grüße aus Köln 1", False)
    assert (listed[0]["attachments"], listed[0]["date"]) == (1, "2026-11-23T12:00:00+00:00")
    by_pop3 = json.loads(at_host("pop3", "--list", "--json")[1])
    assert [entry["size"] for entry in by_pop3] == [entry["size"] for entry in listed]
    assert (by_pop3[0]["seen"], by_pop3[0]["flags"]) == (None, None)
    shown = json.loads(at_host("imap", "--show", "1", "--json")[1])
    assert shown["text"] == "Guten Tag,\nhier ist alles gut."
    assert shown["attachments"][0]["name"] == "liste.pdf"


def test_what_is_shown_stays_unread(at_host):
    at_host("imap", "--show", "1")
    assert json.loads(at_host("imap", "--list", "--json")[1])[0]["seen"] is False


@pytest.mark.row(43)
@pytest.mark.row(63)
def test_hostile_messages_do_not_move_the_terminal(host, someone, at_host):
    deliver(host, someone, HOSTILE)
    for service, arguments in [
        ("imap", ["--list"]),
        ("pop3", ["--show", "3"]),
        ("imap", ["--list", "--json"]),
    ]:
        status, said, wrong = at_host(service, *arguments)
        assert (status, wrong) == (0, "")
        assert "x@evil.example" in said
        assert all(line.isprintable() for line in said.splitlines())


@pytest.mark.parametrize(
    ("service", "arguments", "options", "words"),
    [
        ("imap", ["--list"], {"password": "wrong"}, "it did not take the login of user"),
        ("pop3", ["--list"], {"trust": False}, "the certificate is self-signed, so no password was sent to"),
        ("imap", ["--list", "--folder", "Nöwhere"], {}, 'it does not open the folder "Nöwhere": '),
        ("pop3", ["--show", "9"], {}, "There is no message 9 in INBOX: there are 2."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(at_host, service, arguments, options, words):
    status, said, wrong = at_host(service, *arguments, **options)
    assert (status, said) == (1, "")
    assert words in wrong
    assert wrong.startswith("mailsys: ")
    assert wrong.count("\n") == 1


def at_dovecot(server, service, tls, *arguments, password=DOVECOTS):
    where = ["--account", "ann", f"--{service.removesuffix('s')}", f"127.0.0.1:{server.ports[service]}"]
    return read("--plain", "--tls", tls, "--trust", server.trusted, *where, *arguments, password=password)


@needs("dovecot")
@pytest.mark.parametrize(("service", "tls"), [("imap", "starttls"), ("pop3", "starttls")])
def test_dovecot(dovecot, service, tls):
    status, said, wrong = at_dovecot(dovecot, service, tls, "--list", "--json")
    assert (status, wrong) == (0, "")
    listed = json.loads(said)
    assert [entry["subject"] for entry in listed] == [f"Grüße aus Köln {number}" for number in (1, 2, 3)]
    assert listed[2]["preview"] == "Guten Tag, hier ist alles gut."
    assert [entry["seen"] for entry in listed] == ([None] * 3 if service == "pop3" else [True, False, False])
    assert {entry["attachments"] for entry in listed} == ({None} if service == "pop3" else {1})
    status, said, wrong = at_dovecot(dovecot, service, tls, "--show", 3)
    assert (status, wrong) == (0, "")
    assert "\n\nGuten Tag,\nhier ist alles gut.\n\nAttached: liste.pdf" in said


@needs("dovecot")
def test_dovecots_other_folders_and_its_no(dovecot):
    assert at_dovecot(dovecot, "imap", "starttls", "--list", "--folder", "Archive.2026") == (0, "", "")
    status, said, wrong = at_dovecot(dovecot, "imaps", "implicit", "--list", password="wrong")
    assert (status, said) == (1, "")
    assert "it did not take the login of ann: " in wrong


@needs("dovecot")
def test_dovecot_with_scram_alone(dovecot_with_scram):
    status, said, wrong = at_dovecot(dovecot_with_scram, "imaps", "implicit", "--list")
    assert (status, wrong) == (0, "")
    assert "Grüße aus Köln 1" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "for now mail is read with --plain, as in: mailsys read --plain --list"),
        (["--plain"], "--plain wants --list or --show N"),
        (
            ["--plain", "--list", "--imap", "a:1"],
            "name the account: --account ADDRESS, and --imap",
        ),
        (["--plain", "--show", "0"], "'0' is no number of a message"),
        (["--plain", "--list", "--imap", "host"], "'host' is not HOST:PORT, as in mail.example.org:993"),
        (["--plain", "--list", "--show", "1"], "not allowed with argument --list"),
    ],
)
def test_wrong_usage(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["read", *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
