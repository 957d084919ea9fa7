"""How the system tests give mail in and take it out, with Python's own clients and with programs."""

import poplib
import shutil
import smtplib
import ssl
import subprocess

import pytest

SENDER = "visitor@example.org"
SECONDS = 20


def trusting(host):
    return ssl.create_default_context(cafile=str(host.certificate))


def smtp_port(host):
    return str(host.organisation.port("smtp"))


def deliver(host, someone, letter):
    """Hand one message in, without TLS."""
    where = host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        assert client.sendmail(SENDER, [someone.address], letter, ["BODY=8BITMIME"]) == {}


def logged_in(host, someone):
    """A POP3 session without TLS."""
    client = poplib.POP3(host.organisation.address, host.organisation.port("pop3"), timeout=SECONDS)
    client.user(someone.address)
    client.pass_(someone.password)
    return client


def messages(client):
    """All messages of a POP3 session, as octets."""
    count, _size = client.stat()
    return [b"\r\n".join([*client.retr(number)[1], b""]) for number in range(1, count + 1)]


def mailbox(host, someone):
    """What is in somebody's mailbox."""
    client = logged_in(host, someone)
    try:
        return messages(client)
    finally:
        client.quit()


def unique_ids(host, someone):
    """What UIDL says: the UID and the UIDVALIDITY, as Dovecot writes them."""
    client = logged_in(host, someone)
    try:
        return [line.split()[1].decode() for line in client.uidl()[1]]
    finally:
        client.quit()


def assert_one(found, letter):
    """Exactly this message, with header lines of ours in front and nothing changed."""
    assert len(found) == 1
    assert found[0].endswith(letter)
    ours = found[0][: -len(letter)]
    assert ours.startswith(b"Return-Path: <visitor@example.org>\r\n")
    assert b"\r\nReceived: from " in ours


def as_text(letter):
    """The same with the line ends that programs write into files here."""
    return letter.replace(b"\r\n", b"\n")


def needs(*programs):
    """Skip a test, and say why, where a program of somebody else's is not installed."""
    missing = [program for program in programs if not shutil.which(program, path="/usr/bin:/usr/sbin:/bin")]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


def run(*arguments, accepted=(0,), **options):
    """Run a program to its end; its words are shown when it fails."""
    result = subprocess.run(
        [str(argument) for argument in arguments],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, **options,
    )  # fmt: skip
    assert result.returncode in accepted, (result.stdout + result.stderr).decode(errors="replace")
    return result.stdout
