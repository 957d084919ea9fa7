"""TLS over real sockets: what is spoken, what is refused, and what an attacker in the middle may not do."""

import ipaddress
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time
import warnings

import pytest
from net_house import SECONDS, SocketTestCase, hear, hear_line, make_certificate, until

from mailsys.interfaces import ConnectionEnded
from mailsys.net import stream as net
from mailsys.net.house import Patience

LETTER = os.urandom(3 << 20)


class Conversation:
    """Greets, begins TLS when asked, and keeps what it hears, before TLS and inside."""

    def __init__(self, *, waits_for_more=False):
        self.before, self.inside = [], []
        self.tls = ""
        self.end = None
        self._waits_for_more = waits_for_more  # before it says that TLS may begin

    async def __call__(self, connection):
        connection.send(b"220 Hello\r\n")
        try:
            await self._talk(connection)
        except ConnectionEnded as end:
            self.end = end
            raise

    async def _talk(self, connection):
        while not connection.tls:
            data = await connection.receive(SECONDS)
            self.before.append(data)
            if data == b"STARTTLS\r\n":
                if self._waits_for_more:
                    await until(lambda: connection._received)
                connection.send(b"220 Go ahead\r\n")
                await connection.start_tls()
        self.tls = connection.tls
        while True:
            data = await connection.receive(SECONDS)
            self.inside.append(data)
            connection.send(b"221 Goodbye\r\n" if data == b"QUIT\r\n" else b"250 OK\r\n")
            if data == b"QUIT\r\n":
                return


class TLSTestCase(SocketTestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.certificate, self.trust = make_certificate(folder)

    def listen(self, function, **options):
        return super().listen(function, tls=self.certificate, **options)

    def begin(self, peer):
        """STARTTLS, as a client should."""
        assert hear_line(peer) == b"220 Hello\r\n"
        peer.sendall(b"STARTTLS\r\n")
        assert hear_line(peer) == b"220 Go ahead\r\n"
        return self.trust.wrap_socket(peer, server_hostname="mail.test")


class StartTLS(TLSTestCase):
    async def test_a_session(self):
        def session(peer):
            with self.begin(peer) as secure:
                secure.sendall(b"EHLO client\r\n")
                assert hear_line(secure) == b"250 OK\r\n"
                secure.sendall(b"QUIT\r\n")
                return secure.version(), secure.cipher()[0], hear(secure)

        talk = Conversation()
        factory = await self.listen(talk)
        version, cipher, farewell = await self.client(factory, session)
        assert farewell == b"221 Goodbye\r\n"
        assert talk.tls == f"{version} {cipher}"
        assert (talk.before, talk.inside) == ([b"STARTTLS\r\n"], [b"EHLO client\r\n", b"QUIT\r\n"])
        await until(lambda: not factory.connections)

    @pytest.mark.row(5)
    async def test_plain_text_in_front_of_the_handshake(self):
        """Row 5: split from STARTTLS into a segment of its own, it ends the connection."""
        await self.inject(b"RSET\r\n")

    @pytest.mark.row(5)
    async def test_plain_text_together_with_the_hello(self):
        """Row 5: the same, glued to what the client sends first in TLS."""
        await self.inject(b"RSET\r\n" + self.hello())

    async def inject(self, data):
        def inject(peer):
            hear_line(peer)
            peer.sendall(b"STARTTLS\r\n")
            hear_line(peer)
            peer.sendall(data)
            return hear(peer)

        talk = Conversation()
        factory = await self.listen(talk)
        assert b"250" not in await self.client(factory, inject)  # a TLS alert at most
        await until(lambda: not factory.connections)
        assert (talk.before, talk.inside) == ([b"STARTTLS\r\n"], [])

    @pytest.mark.row(5)
    async def test_plain_text_that_overtakes_the_220(self):
        """Row 5: what came before TLS begins is dropped, and the handshake behind it succeeds."""

        def inject(peer):
            hear_line(peer)
            peer.sendall(b"STARTTLS\r\n")
            time.sleep(0.1)
            peer.sendall(b"RSET\r\n")
            hear_line(peer)
            with self.trust.wrap_socket(peer, server_hostname="mail.test") as secure:
                secure.sendall(b"NOOP\r\n")
                return hear_line(secure)

        talk = Conversation(waits_for_more=True)
        factory = await self.listen(talk)
        assert await self.client(factory, inject) == b"250 OK\r\n"
        assert (talk.before, talk.inside) == ([b"STARTTLS\r\n"], [b"NOOP\r\n"])

    def hello(self):
        """What a client sends first in TLS."""
        outgoing = ssl.MemoryBIO()
        client = self.trust.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="mail.test")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        return outgoing.read()

    async def test_a_client_that_leaves_instead_of_a_handshake(self):
        talk = Conversation()
        factory = await self.listen(talk)

        def leave(peer):
            hear_line(peer)
            peer.sendall(b"STARTTLS\r\n")
            hear_line(peer)

        await self.client(factory, leave)
        await until(lambda: not factory.connections)
        assert isinstance(talk.end, ConnectionEnded)

    async def test_a_client_that_never_begins_the_handshake(self):
        refused = []
        factory = await self.listen(Conversation())
        factory.patience = Patience(handshake_seconds=0.3)
        factory.on_refused = lambda _peer, _farewell, reason: refused.append(reason)

        def stay(peer):
            hear_line(peer)
            peer.sendall(b"STARTTLS\r\n")
            hear_line(peer)
            with pytest.raises(ConnectionResetError):
                peer.recv(1)

        await self.client(factory, stay)
        await until(lambda: not factory.connections)
        assert refused == ["TLS did not come about within 0.3 s"]


class ImplicitTLS(TLSTestCase):
    async def session(self, context, talk=None):
        def session(peer):
            with context.wrap_socket(peer, server_hostname="mail.test") as secure:
                greeting = hear_line(secure)
                secure.sendall(b"QUIT\r\n")
                return secure.version(), greeting + hear(secure)

        talk = talk or Conversation()
        factory = await self.listen(talk, implicit_tls=True)
        try:
            return await self.client(factory, session)
        finally:
            await until(lambda: not factory.connections)

    async def test_the_greeting_comes_inside(self):
        version, heard = await self.session(self.trust)
        assert heard == b"220 Hello\r\n221 Goodbye\r\n"
        assert version == "TLSv1.3"

    async def test_tls_1_2_is_the_oldest(self):
        self.trust.maximum_version = ssl.TLSVersion.TLSv1_2
        version, _heard = await self.session(self.trust)
        assert version == "TLSv1.2"

    async def test_older_ones_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            self.trust.set_ciphers("DEFAULT:@SECLEVEL=0")  # or this client would not even ask
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.trust.minimum_version = self.trust.maximum_version = version
            talk = Conversation()
            with pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version"):
                await self.session(self.trust, talk)
            assert talk.tls == ""

    @pytest.mark.row(61)
    async def test_the_header_of_a_proxy_comes_before_it(self):
        """Row 61: in one segment with the client's hello, or alone."""
        header = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 995\r\n"
        hosts = []

        async def talk(connection):
            hosts.append(connection.peer.host)
            await Conversation()(connection)

        loopback = (ipaddress.ip_network("127.0.0.0/8"),)
        factory = await self.listen(talk, implicit_tls=True, proxies=loopback)

        def session(peer, waits):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            secure = self.trust.wrap_bio(incoming, outgoing, server_hostname="mail.test")
            with pytest.raises(ssl.SSLWantReadError):
                secure.do_handshake()
            peer.sendall(header if waits else header + outgoing.read())
            if waits:
                time.sleep(0.1)
                peer.sendall(outgoing.read())
            for step in (secure.do_handshake, lambda: secure.read(100)):
                while True:
                    try:
                        heard = step()
                        peer.sendall(outgoing.read())
                        break
                    except ssl.SSLWantReadError:
                        peer.sendall(outgoing.read())
                        incoming.write(peer.recv(65536))
            return heard

        for waits in (False, True):
            heard = await self.client(factory, lambda peer, waits=waits: session(peer, waits))
            assert heard == b"220 Hello\r\n"
        assert hosts == ["192.0.2.7", "192.0.2.7"]

    @pytest.mark.row(9)
    async def test_plain_text_gets_no_answer(self):
        """Row 9: where TLS comes first, whoever speaks plainly is left at once, and the operator told."""
        talk, refused = Conversation(), []
        factory = await self.listen(talk, implicit_tls=True)
        factory.on_refused = lambda _peer, _farewell, reason: refused.append(reason)

        def speak(peer):
            peer.sendall(b"EHLO client.example\r\n")
            return hear(peer)

        assert b"220" not in await self.client(factory, speak)
        await until(lambda: not factory.connections)
        assert (talk.before, talk.inside) == ([], [])
        assert refused[0].startswith("TLS did not come about: ")


class Ends(TLSTestCase):
    async def test_a_connection_cut_inside_tls_is_an_end_and_no_data(self):
        """Without close_notify, and in the middle of a record: what was whole is heard, nothing is added."""
        for torn in (b"", b"\x17\x03\x03\x00\x40half a record"):

            def cut(peer, torn=torn):
                secure = self.begin(peer)
                secure.sendall(b"DATA\r\n")
                hear_line(secure)
                secure.sendall(b"Subject: half a mess")
                hear_line(secure)
                with socket.socket(fileno=secure.detach()) as plain:
                    plain.sendall(torn)

            talk = Conversation()
            factory = await self.listen(talk)
            await self.client(factory, cut)
            await until(lambda factory=factory: not factory.connections)
            assert talk.inside == [b"DATA\r\n", b"Subject: half a mess"]
            assert isinstance(talk.end, ConnectionEnded)

    async def test_a_client_that_does_not_end_tls_is_cut_off(self):
        """It hears our close_notify and keeps the connection."""
        self.patch(net, "FAREWELL_SECONDS", 0.3)
        left = threading.Event()

        def stay(peer):
            secure = self.begin(peer)
            secure.sendall(b"QUIT\r\n")
            farewell = hear(secure)
            left.wait(SECONDS)
            secure.close()
            return farewell

        factory = await self.listen(Conversation())
        client = self.client(factory, stay)
        await until(lambda: factory.connections)
        await until(lambda: not factory.connections)
        left.set()
        assert await client == b"221 Goodbye\r\n"

    async def test_a_client_that_sends_on_sees_the_refusal(self):
        async def refuse(connection):
            await connection.receive(SECONDS)
            connection.send(b"421 Too many errors\r\n")

        def blast(peer):
            with self.trust.wrap_socket(peer, server_hostname="mail.test") as secure:
                secure.sendall(b"NOOP\r\n")
                time.sleep(0.2)
                for _ in range(10):
                    secure.sendall(b"NOOP\r\n" * 5000)
                return hear(secure)

        factory = await self.listen(refuse, implicit_tls=True)
        assert await self.client(factory, blast) == b"421 Too many errors\r\n"
        await until(lambda: not factory.connections)


class BackPressure(TLSTestCase):
    async def test_much_in_both_directions(self):
        """More than all buffers hold, to a client that reads late and from one that writes ahead."""
        heard = bytearray()

        async def talk(connection):
            while len(heard) < len(LETTER):
                heard.extend(await connection.receive(SECONDS))
            for start in range(0, len(LETTER), 1 << 18):
                connection.send(LETTER[start : start + (1 << 18)])
                await connection.drained()

        def exchange(peer):
            with self.trust.wrap_socket(peer, server_hostname="mail.test") as secure:
                secure.sendall(LETTER)
                time.sleep(0.3)
                return hear(secure)

        factory = await self.listen(talk, implicit_tls=True)
        assert await self.client(factory, exchange) == LETTER
        assert heard == LETTER
