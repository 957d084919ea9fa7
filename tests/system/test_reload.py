"""SIGHUP: configuration and certificates are read again while the server runs."""

import datetime
import os
import poplib
import signal
import smtplib
import ssl
import time

import pytest
from exchange import SECONDS

from mailsys.control.self_signed import write_self_signed


@pytest.fixture
def running(own_host):
    own_host.start()
    own_host.wait_until_ready()
    return own_host


def change(host, *changes):
    """Replace words of the configuration; the file is changed as editors do it."""
    text = host.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    host.config.write_text(text)


def reread(host, expected):
    """Send SIGHUP, and return the lines that the log has then; waits for the expected words."""
    before = len(host.log.read_text())
    os.kill(host.pid, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS
    while expected not in (said := host.log.read_text()[before:]):
        host.check_alive()
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
    return said


def connected(host):
    where = host.organisation
    client = smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS)
    client.ehlo()
    return client


def announced_size(host):
    with connected(host) as client:
        return int(client.esmtp_features["size"])


READ = "Read configuration and certificates again"
KEPT = "the old one stays in force"
SIZE = '# message_size = "50M"'


def test_new_connections_have_the_new_limits(running):
    with connected(running) as old:
        change(running, (SIZE, 'message_size = "2M"'))
        reread(running, READ)
        assert announced_size(running) == 2 * 1024 * 1024
        old.ehlo()
        assert int(old.esmtp_features["size"]) == 50 * 1024 * 1024


def test_a_broken_file_leaves_all_as_it_is(running):
    change(running, (SIZE, 'message_size = "huge"'), ("# recipients = 1000", "recipents = 5"))
    said = reread(running, KEPT)
    assert "limits.message_size" in said
    assert "limits.recipents" in said
    assert announced_size(running) == 50 * 1024 * 1024
    change(running, ('message_size = "huge"', 'message_size = "3M"'), ("recipents = 5", ""))
    reread(running, READ)
    assert announced_size(running) == 3 * 1024 * 1024


def test_passwords_in_plain_text_are_refused_from_then_on(running):
    where = running.organisation
    change(running, ('# plaintext = "loopback"', 'plaintext = "never"'))
    reread(running, READ)
    client = poplib.POP3(where.address, where.port("pop3"), timeout=SECONDS)
    assert "USER" not in client.capa()
    client.close()


def test_what_needs_a_restart_is_named(running):
    change(
        running,
        ('service = "lmtp"', 'service = "smtp"'),
        ("# maildir =", 'maildir = "{data}/elsewhere/{domain}/{user}" #'),
        (SIZE, 'message_size = "4M"'),
    )
    said = reread(running, "needs a restart")
    assert "Changed, but needs a restart: listen, store.maildir" in said
    assert announced_size(running) == 4 * 1024 * 1024


def certificate_of(host):
    where = host.organisation
    return ssl.get_server_certificate((where.address, where.port("pop3s")), timeout=SECONDS).strip()


def test_a_renewed_certificate_is_used(running):
    assert certificate_of(running) == running.certificate.read_text().strip()
    for path in running.certificate.parent.iterdir():
        path.unlink()
    now = datetime.datetime.now(datetime.UTC)
    write_self_signed(str(running.certificate.parent), ["new.system.test"], now)
    reread(running, READ)
    assert certificate_of(running) == running.certificate.read_text().strip()


def test_a_key_of_another_certificate_is_not_used(running, tmp_path):
    before = certificate_of(running)
    write_self_signed(str(tmp_path), ["other.system.test"], datetime.datetime.now(datetime.UTC))
    (running.directory / "tls" / "key.pem").write_bytes((tmp_path / "key.pem").read_bytes())
    assert "does not belong to the certificate" in reread(running, KEPT)
    assert certificate_of(running) == before
