"""Mail from servers that we did not write: taken as it is, and what is refused, they hear."""

import smtplib
import subprocess

import pytest
from programs import SECONDS, Exim, OpenSmtpd, Ourselves, Postfix, program
from test_programs_as_peers import BODIES, HEAD

BOB, NOBODY = "bob@example.test", "nobody@example.test"
LETTERS = [HEAD % (number, number) + body for number, body in enumerate(BODIES)]
SERVERS = {"postfix": Postfix, "exim": Exim, "opensmtpd": OpenSmtpd}


@pytest.fixture(scope="module")
def ours():
    """mailsys, for all of them."""
    host = Ourselves("smtp")
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture(params=SERVERS, scope="module")
def server(request, ours):
    """One of them that takes all to us."""
    running = SERVERS[request.param]((ours.address, ours.port))
    try:
        yield running
    finally:
        running.stop()


def hand_in(server, recipient, *letters):
    with smtplib.SMTP(server.address, server.port, timeout=SECONDS) as client:
        for letter in letters:
            client.sendmail("ann@sender.test", [recipient], letter, ["BODY=8BITMIME"])


def test_what_they_send_arrives_as_it_is(ours, server):
    """Pipelined, in chunks, with dots and letters beyond ASCII, each server in its own way."""
    before = set(ours.files())
    # OpenSMTPD takes no lines beyond the limit of RFC 5322.
    letters = [one for one in LETTERS if max(map(len, one.split(b"\r\n"))) <= 998 or Postfix is type(server)]
    hand_in(server, BOB, *letters)
    ours.arrived(len(before) + len(letters), SECONDS)
    found = [path.read_bytes() for path in set(ours.files()) - before]
    if isinstance(server, Postfix):  # it cuts lines at 998 octets, as smtp_line_length_limit has it
        letters = [one for one in letters if max(map(len, one.split(b"\r\n"))) <= 998]
    for letter in letters:
        header, _, body = letter.partition(b"\r\n\r\n")
        (there,) = [one for one in found if header.split(b"\r\n")[2] in one]
        assert there.endswith(b"\r\n\r\n" + body)
        assert b"Return-Path: <ann@sender.test>\r\n" in there


def test_a_recipient_who_does_not_exist(ours, server):
    """They hear it in the session, and nothing of it arrives."""
    before = set(ours.files())
    hand_in(server, NOBODY, LETTERS[0])
    hand_in(server, BOB, LETTERS[1])
    ours.arrived(len(before) + 1, SECONDS)
    (there,) = set(ours.files()) - before
    assert b"Subject: number 1" in there.read_bytes()


def test_smtp_source(ours):
    """Twenty messages in five sessions at once, as fast as it can."""
    source, before = program("smtp-source"), set(ours.files())
    subprocess.run(
        [
            source, "-s", "5", "-m", "20", "-l", "10000", "-f", "ann@sender.test", "-t", BOB,
            f"{ours.address}:{ours.port}",
        ],
        check=True, timeout=SECONDS, capture_output=True,
    )  # fmt: skip
    ours.arrived(len(before) + 20, SECONDS)
