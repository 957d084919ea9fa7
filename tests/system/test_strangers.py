"""Strangers from many addresses, against a real host: who guesses, who does not wait, who comes too often.

Beside each attack a normal client is served all the time (``besieged_host``).
"""

import socket
import time

import pytest
from attacked_host import Stranger, inbox
from besieged_host import NEW_PER_ADDRESS, PER_ADDRESS, READERS, UNKNOWN, Outsider, addresses, proxied
from exchange import SECONDS

LETTER = b"From: stranger@example.org\r\n\r\nhello\r\n"


def guess(outsider, number):
    return outsider.ask(f"RCPT TO:<guess{number}@system.test>")


def begin(host, address):
    outsider = Outsider(host, address)
    outsider.ask("HELO stranger.example")
    outsider.ask("MAIL FROM:<stranger@example.org>")
    return outsider


# Before the greeting


@pytest.mark.row(8)
@pytest.mark.parametrize("words", [b"EHLO spam.example\r\n", b"\x16\x03\x01", b"E"])
def test_who_does_not_wait_for_the_greeting(besieged, words):
    """Row 8: 554 5.5.1 instead of a greeting, and the end; the journal tells."""
    with Outsider(besieged, "192.0.2.8", first=words) as outsider:
        assert outsider.greeting == "554 5.5.1 You spoke before the greeting"
        outsider.blast(b"MAIL FROM:<x@example.org>\r\n")
        assert outsider.rest() == []
        assert outsider.was_told(
            "refused CONNECT: 554 5.5.1 You spoke before the greeting; client [192.0.2.8]"
        )


@pytest.mark.row(8)
def test_who_waits_is_greeted(besieged):
    """Row 8: the greeting comes soon for those who wait."""
    begun = time.monotonic()
    with Outsider(besieged, "192.0.2.9") as outsider:
        assert outsider.greeting.startswith("220 ")
        assert 0.25 < time.monotonic() - begun < 3


# Another protocol where TLS is spoken first


@pytest.mark.row(9)
@pytest.mark.parametrize("words", [b"EHLO x\r\n", b"GET / HTTP/1.0\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 600])
def test_plain_text_where_tls_comes_first(besieged, words):
    """Row 9: at once the end, at most with TLS's own alert."""
    begun = time.monotonic()
    where = besieged.organisation
    with socket.create_connection((where.address, where.port("pop3s")), timeout=SECONDS) as client:
        client.sendall(words)
        heard = b""
        try:
            while data := client.recv(4096):
                heard += data
        except ConnectionResetError:
            pass
    assert b"+OK" not in heard
    assert len(heard) < 64
    assert time.monotonic() - begun < 2


# Guessing


@pytest.mark.row(14)
def test_a_harvest_over_many_connections(besieged):
    """Row 14: 550 5.1.1 each, 421 4.7.1 when it is enough; reconnecting does not help."""
    for number in range(UNKNOWN):
        with begin(besieged, "192.0.2.14") as outsider:
            assert guess(outsider, number).startswith("550 5.1.1 ")
    for _ in range(2):
        with begin(besieged, "192.0.2.14") as outsider:
            told = guess(outsider, 99)
            assert told.startswith("421 4.7.1 ")
            assert outsider.rest() == []
            assert outsider.was_refused(told)
    with begin(besieged, "192.0.2.15") as another:
        assert guess(another, 0).startswith("550 5.1.1 ")
    reader = READERS[0]
    with begin(besieged, "192.0.2.14") as outsider:
        assert outsider.ask(f"RCPT TO:<{reader.address}>").startswith("250 ")
        assert guess(outsider, 1).startswith("452 4.7.1 ")
        assert outsider.ask("DATA").startswith("354 ")
        assert outsider.ask(LETTER + b".").startswith("250 ")
        assert outsider.ask("VRFY somebody").startswith("252 ")
        assert outsider.ask("EXPN everybody").startswith("502 ")
    [message] = inbox(besieged, reader)
    assert b"[192.0.2.14]" in message.split(b"\r\n\r\n")[0]


@pytest.mark.row(14)
@pytest.mark.row(21)
def test_an_ipv6_host_changes_its_address(besieged):
    """Row 14: within its /64 it is the same host."""
    for number in range(UNKNOWN):
        with begin(besieged, f"2001:db8:14:1::{number + 1:x}") as outsider:
            assert guess(outsider, number).startswith("550 5.1.1 ")
    with begin(besieged, "2001:db8:14:1:dead:beef:1:2") as outsider:
        assert guess(outsider, 99).startswith("421 4.7.1 ")


# Too many, too often


@pytest.mark.row(25)
@pytest.mark.parametrize(
    ("service", "told"),
    [("smtp", "421 4.7.0 Too many connections"), ("pop3", "-ERR [SYS/TEMP] Too many connections")],
)
@pytest.mark.parametrize("version", [4, 6])
def test_one_connection_too_many(besieged, service, told, version):
    """Row 25: told so, and welcome again when one of the others has gone.  A /64 is one address."""
    hosts = ["192.0.2.25"] * 9 if version == 4 else [f"2001:db8:25:1::{n:x}" for n in range(1, 10)]
    inside = [Outsider(besieged, host, service) for host in hosts[:PER_ADDRESS]]
    with Outsider(besieged, hosts[-1], service) as outsider:
        assert outsider.greeting.startswith(told)
        assert outsider.rest() == []
    elsewhere = "198.51.100.25" if version == 4 else "2001:db8:25:2::1"
    with Outsider(besieged, elsewhere, service) as another:
        assert another.greeting.startswith(("220 ", "+OK "))
    inside.pop().socket.close()
    for _ in range(50):
        with Outsider(besieged, hosts[-1], service) as outsider:
            if outsider.greeting.startswith(("220 ", "+OK ")):
                break
        time.sleep(0.05)
    else:
        pytest.fail("nobody is let in any more")
    for one in inside:
        one.socket.close()


@pytest.mark.row(25)
def test_connecting_and_leaving_without_end(besieged):
    """Row 25: one address comes over and over; so many get in as may, and the log is not flooded."""
    begin, served, refused = besieged.log.stat().st_size, 0, 0
    for _ in range(NEW_PER_ADDRESS + 400):
        with proxied(besieged, "203.0.113.25", "pop3") as client:
            first = client.recv(200)
            served += first.startswith(b"+OK")
            refused += first.startswith(b"-ERR [SYS/TEMP]")
    assert NEW_PER_ADDRESS <= served <= NEW_PER_ADDRESS + 30  # the minute goes on meanwhile
    assert served + refused == NEW_PER_ADDRESS + 400
    time.sleep(1)  # the journal is written in batches
    log = besieged.log.read_bytes()[begin:].decode()
    assert 1 <= log.count("refused CONNECT") <= 3


# Behind a proxy


@pytest.mark.row(61)
def test_a_header_from_who_is_no_proxy(besieged):
    """Row 61: on a listener for others it is not read, and on one without proxies it is no command."""
    with proxied(besieged, "192.0.2.61", "smtp elsewhere") as client:
        assert client.recv(100) == b""
    with Stranger(besieged) as stranger:
        assert stranger.ask("PROXY TCP4 192.0.2.61 198.51.100.1 40000 25").startswith("500 5.5.2 ")


@pytest.mark.row(61)
@pytest.mark.parametrize(
    "header",
    [
        b"EHLO client.example\r\n",
        b"PROXY TCP4 999.0.2.1 198.51.100.1 40000 25\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff" + bytes(100),
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x0c" + bytes(12),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x04" + bytes(4),
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    ],
    ids=["none", "no address", "too long", "version 3", "too short", "TLS"],
)
def test_a_malformed_header(besieged, header):
    """Row 61: the connection ends without a word."""
    where = besieged.organisation.address, besieged.organisation.port_base + 26
    with socket.create_connection(where, timeout=SECONDS) as client:
        client.sendall(header)
        assert client.recv(100) == b""


@pytest.mark.row(61)
@pytest.mark.parametrize("command", ["XCLIENT ADDR=127.0.0.1", "XFORWARD ADDR=127.0.0.1 NAME=x"])
def test_a_client_that_says_who_it_is(besieged, command):
    """Row 61: XCLIENT is for nobody."""
    with Stranger(besieged) as stranger:
        stranger.ask("EHLO stranger.example")
        assert stranger.ask(command).startswith("550 5.7.1 ")


def test_people_behind_many_addresses_are_not_strangers_to_each_other(besieged):
    """A hundred hosts from as many networks, each once: all of them are greeted."""
    clients = [proxied(besieged, address, "pop3") for address in addresses("2001:db8:5000::/40", 100)]
    for client in clients:
        assert client.recv(200).startswith(b"+OK ")
        client.close()
