"""The station made from a configuration, and what of it the queue asks."""

import random

import pytest
from scripted import Polite
from send_house import BOB, SendTestCase, address, assert_delivered
from twisted.internet import reactor
from zones import ZoneResolver

from mailsys.config.schema import Configuration, Listener, Send
from mailsys.send.kept import KeptDialogues
from mailsys.send.station import (
    destination_of,
    make_delivery,
    make_routes,
    read_password,
    where_mail_comes_in,
)
from mailsys.threads import NoThreads


class FromTheConfiguration(SendTestCase):
    async def test_a_smarthost_with_its_password(self):
        polite = Polite("AUTH PLAIN", AUTH=b"235 welcome")
        server = self.serve(polite)
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("secret\nnot this\n")
        send = Send(
            smarthost=make_smarthost(f"smtp://ann@127.0.0.1:{server.port}"),
            smarthost_password_file=path,
            source_addresses=("127.0.0.7",),
        )
        configuration = Configuration(hostname="client.test", send=send)
        shuffle, kept = random.Random(1).shuffle, KeptDialogues(reactor)
        delivery = make_delivery(configuration, reactor, ZoneResolver(), NoThreads(), kept, shuffle, bytes)
        self.all_kept.append(kept)
        self.addCleanup(self.end)
        assert_delivered((await self.deliver(delivery))[BOB])
        peer = server.peers[0]
        assert b"AUTH PLAIN AGFubgBzZWNyZXQ=" in peer.heard
        assert b"EHLO client.test" in peer.heard


def make_smarthost(url):
    from mailsys.config.nexthop import parse_smarthost

    return parse_smarthost(url)


def test_destinations():
    from mailsys.config.nexthop import parse_route

    destination = destination_of(make_routes(Send(routes={"a.test": parse_route("lmtp://127.0.0.1:24")})))
    assert destination(address("x@a.test")) == "lmtp://127.0.0.1:24"
    assert destination(address("x@b.test")) == "b.test"
    smarthost = make_smarthost("smtp://relay.test")
    routes = make_routes(Send(smarthost=smarthost, routes={"a.test": parse_route("mx")}))
    assert destination_of(routes)(address("x@a.test")) == "a.test"
    assert destination_of(routes)(address("x@b.test")) == "smtp://relay.test:25"


def test_where_mail_comes_in():
    listeners = [
        Listener(service="smtp", endpoint="tcp:25"),
        Listener(service="submission", endpoint="tcp6:587:interface=\\:\\:1"),
        Listener(service="lmtp", endpoint="unix:/run/lmtp"),
        Listener(service="pop3", endpoint="tcp:110"),
        Listener(service="lmtp", endpoint="tcp:24:interface=127.0.0.1"),
    ]
    assert where_mail_comes_in(listeners) == (("", 25), ("::1", 587), ("127.0.0.1", 24))


def test_passwords(tmp_path):
    file = tmp_path / "password"
    for octets in (b"secret", b"secret\n", b"secret\r\nmore", b"secret\n" + b"x" * 10_000):
        file.write_bytes(octets)
        assert read_password(str(file)) == "secret"
    file.write_bytes(b"\xff\n")
    with pytest.raises(OSError, match="UTF-8"):
        read_password(str(file))
