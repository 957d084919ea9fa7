"""Row 62: what a whole run writes of passwords and of the text of messages, which is nothing."""

import base64
import json
import os
import poplib
import signal
import smtplib
import time

import pytest
from attacked_host import Stranger
from exchange import SECONDS, trusting

RIGHT = "right-pass-4711"
WRONG = "wrong-pass-0815"
MISPLACED = "misplaced-pass-42"
BODY = "a-secret-of-the-body"
BIG = 300 * 1024  # octets; such a message is spooled


def encoded(*words):
    """As AUTH PLAIN and AUTH LOGIN would say it."""
    return [base64.b64encode(word.encode()).decode().rstrip("=")[2:-2] for word in words]


def as_plain(password):
    """What goes over the line with AUTH PLAIN, but for its ends."""
    return base64.b64encode(f"\0eve@system.test\0{password}".encode())[4:-4].decode()


@pytest.fixture
def lived(own_host):
    """A host that has run and ended, with all that was logged at the finest level."""
    text = own_host.config.read_text()
    own_host.config.write_text(text + '[log]\nlevel = "debug"\n')
    own_host.run("account", "add", "eve@system.test", "--password-stdin", told=f"{RIGHT}\n")
    own_host.start()
    own_host.wait_until_ready()
    log_in(own_host)
    hand_in(own_host)
    os.kill(own_host.pid, signal.SIGHUP)
    time.sleep(0.5)
    assert own_host.stop() == 0
    return own_host


def log_in(host):
    """Rightly and wrongly, in each protocol, with and without TLS, and where no password belongs."""
    where = host.organisation
    for password in (RIGHT, WRONG):
        plain = base64.b64encode(f"\0eve@system.test\0{password}".encode())
        with Stranger(host, "submission") as client:
            client.ask("EHLO visitor.example")
            client.ask(b"AUTH PLAIN " + plain)
            client.ask("AUTH LOGIN")
            client.ask(base64.b64encode(b"eve@system.test"))
            client.ask(base64.b64encode(password.encode()))
            client.ask(b"AUTH PLAIN " + plain[:-3] + b"!!!")
        with Stranger(host, "pop3") as client:
            client.ask("USER eve@system.test")
            client.ask(f"PASS {password}")
        with Stranger(host, "pop3") as client:
            client.ask("AUTH PLAIN")
            client.ask(plain)
        client = poplib.POP3_SSL(where.address, where.port("pop3s"), context=trusting(host), timeout=SECONDS)
        client.user("eve@system.test")
        try:
            client.pass_(password)
        except poplib.error_proto:
            assert password == WRONG
        client.quit()
    with Stranger(host) as client:
        client.ask("EHLO visitor.example")
        client.ask(b"AUTH PLAIN " + base64.b64encode(f"\0eve@system.test\0{MISPLACED}".encode()))
    with Stranger(host, "pop3") as client:
        client.ask(f"PASS {MISPLACED}")
        client.ask(f"NOOP {MISPLACED}")
        client.ask(f"APOP eve@system.test {MISPLACED}")


def hand_in(host):
    """A message that is taken, one that is spooled, one that is refused, and one that never ends."""
    head = "From: visitor@example.org\r\nSubject: something\r\n\r\n"
    where = host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        for text in (f"{head}{BODY}\r\n", head + f"{BODY}\r\n" * (BIG // len(BODY))):
            client.sendmail("visitor@example.org", ["eve@system.test"], text)
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail("visitor@example.org", ["eve@system.test"], f"Subject: no From\r\n\r\n{BODY}\r\n")
    with Stranger(host) as client:
        client.begin(host.organisation.people[0])
        client.say(f"{head}{BODY}\r\n".encode())
    with Stranger(host) as client:
        client.begin(host.organisation.people[0])
        client.say(f"{head}{BODY}\nbare\r\n.\r\n".encode())
        client.reply()


@pytest.mark.row(62)
def test_neither_passwords_nor_text_are_written_down(lived):
    data = lived.directory / "data"
    log = lived.log.read_bytes()
    written = [path for path in data.rglob("*") if path.is_file() and data / "mail" not in path.parents]
    assert {path.name for path in written} >= {"journal.sqlite3", "accounts.sqlite3"}
    assert any(BODY.encode() in path.read_bytes() for path in (data / "mail").rglob("*") if path.is_file())
    assert log.count(b"login failed") >= 3
    assert log.count(b"logged in") >= 3
    secrets = [RIGHT, WRONG, MISPLACED, BODY, *encoded(RIGHT, WRONG, MISPLACED)]
    plain = [
        base64.b64encode(f"\0eve@system.test\0{word}".encode())[4:-4].decode() for word in (RIGHT, WRONG)
    ]
    for secret in [*secrets, *plain, json.dumps(RIGHT)[1:-1]]:
        assert secret.encode() not in log, secret
        assert [path for path in written if secret.encode() in path.read_bytes()] == []
