"""TLS to other hosts: what is found out and told, what is demanded, and what nobody in the middle may do."""

import base64
import os
import shutil
import socket
import ssl
import tempfile
import time

import pytest
import scramp
from cryptography import x509
from scripted import Polite
from send_house import BOB, SendTestCase, assert_deferred, assert_delivered
from sending_certificates import Authority

from mailsys.config.nexthop import parse_route, parse_smarthost
from mailsys.send.addresses import OwnHost
from mailsys.send.routes import Routes

pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")
OFFERS = ("PIPELINING", "STARTTLS")
ROUTE_ZONE = "relay.test. 60 A 127.0.0.1\nmx.test. 60 A 127.0.0.1"


class TLSTestCase(SendTestCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.authority = Authority(folder)

    async def one(self, polite, roots="", **settings):
        delivery = self.delivery(self.serve(polite).port, roots=roots, **settings)
        return (await self.deliver(delivery))[BOB]


class Opportunistic(TLSTestCase):
    async def test_a_certificate_that_is_good(self):
        polite = Polite(*OFFERS, tls=self.authority.server("mx.test"))
        attempt = await self.one(polite, self.authority.roots)
        assert_delivered(attempt)
        assert attempt.tls.startswith("TLSv1.3 TLS_")
        assert attempt.tls.endswith(", verified")

    @pytest.mark.row(26)
    async def test_certificates_that_are_not(self):
        """Row 26: the message goes, as it would without TLS, and what is wrong is told."""
        for words, context in [
            ("the certificate has expired", self.authority.server("mx.test", days=(-20, -10))),
            ("the certificate is not valid yet", self.authority.server("mx.test", days=(10, 20))),
            ("the certificate is self-signed", self.certificate("mx.test")[0]),
            ("the certificate is for another name", self.authority.server("other.test")),
            ("the certificate is for another name", self.authority.server("mx.test\0.evil.test")),
            ("the certificate is for another name", self.authority.server("*.mx.test")),
        ]:
            attempt = await self.one(Polite(*OFFERS, tls=context), self.authority.roots)
            assert_delivered(attempt)
            assert attempt.tls.endswith(f", not verified: {words}"), attempt.tls
        attempt = await self.one(Polite(*OFFERS, tls=self.authority.server("mx.test")))
        assert "an authority that this host does not trust" in attempt.tls

    @pytest.mark.row(26)
    async def test_old_versions_are_not_spoken(self):
        """Row 26: then it goes without, and the attempt says why."""
        old = self.authority.server("mx.test")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        attempt = await self.one(Polite(*OFFERS, tls=old))
        assert_delivered(attempt)
        assert attempt.tls.startswith("none: the handshake failed: ")
        assert "version" in attempt.tls

    async def test_a_handshake_that_fails_leads_to_none_on_a_new_connection(self):
        def garbage(peer):
            peer.say(b"220 go", b"this is no TLS")
            peer.wait()

        for answer in (garbage, lambda peer: peer.say(b"220 go") or peer.close()):
            polite = Polite(*OFFERS, STARTTLS=answer)
            server = self.serve(polite)
            attempt = (await self.deliver(self.delivery(server.port)))[BOB]
            if answer is garbage:
                assert_deferred(attempt, "4.5.0")
            else:
                assert_delivered(attempt)
                assert attempt.tls.startswith("none: the handshake failed")
                assert len(server.peers) == 2

    async def test_a_server_that_takes_back_its_offer(self):
        attempt = await self.one(Polite(*OFFERS, STARTTLS=b"454 4.7.0 not now"))
        assert_delivered(attempt)
        assert attempt.tls == "none: STARTTLS was answered with 454 4.7.0 not now"

    @pytest.mark.row(26)
    async def test_cut_without_close_notify(self):
        """Row 26: half a reply is none, and the end of the connection no answer."""

        def cut(peer):
            peer.socket.sendall(b"250 2.0")
            with socket.socket(fileno=peer.socket.detach()) as plain:
                plain.shutdown(socket.SHUT_RDWR)
            raise OSError

        attempt = await self.one(Polite(*OFFERS, tls=self.authority.server("mx.test"), MESSAGE=cut))
        assert_deferred(attempt, "4.4.2")
        assert attempt.is_uncertain


class InTheMiddle(TLSTestCase):
    @pytest.mark.row(5)
    async def test_words_in_front_of_the_handshake(self):
        """Row 5, as a client: in one segment with the 220, and in another one after it."""
        context = self.authority.server("mx.test")

        def at_once(peer):
            peer.socket.sendall(b"220 go\r\n250-mx.test\r\n250 PIPELINING\r\n")
            peer.start_tls(context)

        def apart(peer):
            peer.socket.sendall(b"220 go\r\n")
            time.sleep(0.1)
            peer.socket.sendall(b"250-mx.test\r\n250 PIPELINING\r\n")
            peer.start_tls(context)

        for answer in (at_once, apart):
            polite = Polite(*OFFERS, STARTTLS=[answer, b"454 4.7.0 not now"])
            attempt = await self.one(polite, self.authority.roots)
            if answer is at_once:
                assert_deferred(attempt, "4.5.0")
                assert polite.messages == []
            else:  # for the handshake it is garbage; it goes on anew, without what was put in
                assert_delivered(attempt)
                assert attempt.tls.startswith("none: the handshake failed")

    @pytest.mark.row(7)
    async def test_what_was_offered_before_tls_does_not_count(self):
        heard = []

        def hello(peer):
            heard.append(type(peer.socket).__name__)
            forged = b"250-mx.test\r\n250-STARTTLS\r\n250-CHUNKING\r\n250-PIPELINING\r\n250 SIZE 1"
            return forged if len(heard) == 1 else b"250 mx.test"

        polite = Polite(EHLO=hello, tls=self.authority.server("mx.test"))
        assert_delivered(await self.one(polite, self.authority.roots))
        assert heard == ["socket", "SSLSocket"]


class Logins(TLSTestCase):
    """A smarthost with a login, at a name that is not this machine's."""

    def smarthost(self, polite, url="smtp://ann@relay.test:{}", password=lambda: "secret", **settings):
        self.server = self.serve(polite)
        routes = Routes(parse_smarthost(url.format(self.server.port)), {}, password)
        return self.delivery(1, ROUTE_ZONE, routes=routes, **settings)

    def polite(self, *offers, name="relay.test", **answers):
        return Polite(*OFFERS, *offers, tls=self.authority.server(name), **answers)

    @property
    def said(self):
        return [line for peer in self.server.peers for line in peer.heard]

    @pytest.fixture(autouse=True)
    def _far(self, monkeypatch):
        """Loopback counts as a way that others can listen to."""
        monkeypatch.setattr("mailsys.send.routes.is_near", lambda addresses: False)

    async def test_login_and_message(self):
        polite = self.polite("AUTH PLAIN LOGIN", AUTH=b"235 2.7.0 welcome")
        delivery = self.smarthost(polite, roots=self.authority.roots)
        assert_delivered((await self.deliver(delivery))[BOB])
        assert b"AUTH PLAIN AGFubgBzZWNyZXQ=" in self.said
        assert self.resolver.asked[0][0] == "relay.test"

    async def test_smtps(self):
        context = self.authority.server("relay.test")

        class Implicit(Polite):
            def __call__(self, peer):
                peer.start_tls(context)
                super().__call__(peer)

        challenges = {
            "AUTH": b"334 VXNlcm5hbWU6",
            "YW5U": b"334 UGFzc3dvcmQ6",
            "C2VJCMV0": b"235 2.7.0 welcome",
        }
        polite = Implicit("AUTH LOGIN", **challenges)
        delivery = self.smarthost(polite, "smtps://ann@relay.test:{}", roots=self.authority.roots)
        attempt = (await self.deliver(delivery))[BOB]
        assert_delivered(attempt)
        assert attempt.tls.endswith(", verified")
        assert self.said[:4] == [b"EHLO client.test", b"AUTH LOGIN", b"YW5u", b"c2VjcmV0"]

    @pytest.mark.row(7)
    async def test_no_login_without_verified_tls(self):
        """Row 7: no TLS on offer, a forged greeting, a wrong certificate: not a word of the login is said."""
        for polite in (
            Polite("AUTH PLAIN"),
            Polite("AUTH PLAIN", GREETING=b"235 2.7.0 you are logged in already"),
            Polite("AUTH PLAIN", GREETING=b"* PREAUTH welcome"),
            Polite("AUTH PLAIN", *OFFERS, STARTTLS=b"454 4.7.0 not now"),
            Polite("AUTH PLAIN", *OFFERS, STARTTLS=lambda peer: peer.say(b"220 go") or peer.close()),
            self.polite("AUTH PLAIN", name="other.test"),
            Polite("AUTH PLAIN", *OFFERS, tls=self.certificate("relay.test")[0]),
        ):
            delivery = self.smarthost(polite, roots=self.authority.roots)
            attempt = (await self.deliver(delivery))[BOB]
            broken = (
                isinstance(polite._answers.get("GREETING"), bytes)
                and b"PREAUTH" in polite._answers["GREETING"]
            )
            assert_deferred(attempt, "4.5.0" if broken else "4.7.5")
            assert not any(line.upper().startswith((b"AUTH", b"MAIL")) for line in self.said)

    async def test_a_refused_login_is_no_end_of_a_message(self):
        polite = self.polite("AUTH PLAIN", AUTH=b"535 5.7.8 wrong password")
        attempt = (await self.deliver(self.smarthost(polite, roots=self.authority.roots)))[BOB]
        assert_deferred(attempt, "4.7.0")
        assert attempt.said == "535 5.7.8 wrong password"
        assert "secret" not in repr(attempt)

    async def test_no_mechanism_that_both_know(self):
        attempt = (
            await self.deliver(self.smarthost(self.polite("AUTH GSSAPI"), roots=self.authority.roots))
        )[BOB]
        assert_deferred(attempt, "4.7.0")

    async def test_a_password_that_cannot_be_read(self):
        def password():
            raise PermissionError(13, "Permission denied")

        attempt = (await self.deliver(self.smarthost(self.polite("AUTH PLAIN"), password=password)))[BOB]
        assert_deferred(attempt, "4.7.0")
        assert "Permission denied" in attempt.outcome.reply.text


class Relays(SendTestCase):
    """Routes of the configuration."""

    def by_route(self, url, zone=ROUTE_ZONE, **settings):
        routes = Routes(None, {"example.test": parse_route(url)})
        return self.delivery(settings.pop("mx_port", 1), zone, routes=routes, **settings)

    async def test_a_login_over_loopback_needs_no_tls(self):
        polite = Polite("AUTH PLAIN", AUTH=b"235 2.7.0 welcome")
        port = self.serve(polite).port
        for host in ("127.0.0.1", "localhost"):
            routes = Routes(parse_smarthost(f"smtp://ann@{host}:{port}"), {}, lambda: "secret")
            assert_delivered((await self.deliver(self.delivery(1, "", routes=routes)))[BOB])

    @pytest.mark.row(22)
    async def test_scram(self):
        """Row 22, as a client: the server must show that it knows the password, or it gets no mail."""
        mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
        info = mechanism.make_auth_info("secret", iteration_count=4096)

        def exchange(peer):
            server = mechanism.make_server(lambda name: info)
            server.set_client_first(base64.b64decode(peer.heard[-1].split()[2]).decode())
            peer.say(b"334 " + base64.b64encode(server.get_server_first().encode()))
            server.set_client_final(base64.b64decode(peer.hear()).decode())
            peer.say(b"334 " + base64.b64encode(server.get_server_final().encode()))
            assert peer.hear() == b""
            return b"235 2.7.0 welcome"

        for answer in (exchange, b"235 2.7.0 welcome", b"334 cj1mYWxzZSxzPWFhYWEsaT0x"):
            polite = Polite("AUTH PLAIN SCRAM-SHA-256", AUTH=answer)
            url = f"smtp://ann@127.0.0.1:{self.serve(polite).port}"
            routes = Routes(parse_smarthost(url), {}, lambda: "secret")
            attempt = (await self.deliver(self.delivery(1, "", routes=routes)))[BOB]
            if answer is exchange:
                assert_delivered(attempt)
            else:
                assert_deferred(attempt, "4.7.0")
                assert polite.messages == []

    async def test_mx_goes_past_the_smarthost(self):
        polite = Polite()
        port = self.serve(polite).port
        routes = Routes(parse_smarthost("smtp://nowhere.test"), {"example.test": parse_route("mx")})
        delivery = self.delivery(port, "example.test. 60 A 127.0.0.1", routes=routes)
        assert_delivered((await self.deliver(delivery))[BOB])

    async def test_what_is_wrong_with_a_route_is_no_end_of_a_message(self):
        for url, enhanced in [("smtp://gone.test", "4.4.4"), ("smtp://127.0.0.1:1", "4.4.1")]:
            assert_deferred((await self.deliver(self.by_route(url)))[BOB], enhanced)
        delivery = self.by_route("smtp://mx.test")
        self.resolver.unavailable.add("mx.test")
        assert_deferred((await self.deliver(delivery))[BOB], "4.4.3")
        own = OwnHost("client.test", [("127.0.0.1", 25)])
        assert_deferred((await self.deliver(self.by_route("smtp://127.0.0.1:25", own=own)))[BOB], "4.4.6")

    async def test_a_host_that_is_called_as_we_are(self):
        polite = Polite(EHLO=b"250 Client.TEST")
        port = self.serve(polite).port
        attempt = (await self.deliver(self.by_route(f"smtp://127.0.0.1:{port}")))[BOB]
        assert_deferred(attempt, "4.4.6")
        attempt = (await self.deliver(self.delivery(port)))[BOB]
        assert attempt.outcome.reply.enhanced == "5.4.6"


def test_certificates_are_what_they_should_be(tmp_path):
    authority = Authority(str(tmp_path))
    authority.server("mx.test")
    pem = (tmp_path / "mx.test.pem").read_bytes()
    assert x509.load_pem_x509_certificate(pem).issuer == authority.name
    assert os.path.exists(authority.roots)
