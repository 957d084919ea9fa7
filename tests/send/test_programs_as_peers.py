"""Mail to servers that we did not write: they take it, and the octets that arrive are those we had."""

import asyncio
import threading

import pytest
from programs import DovecotLmtp, Exim, OpenSmtpd, Ourselves, Postfix, Sink
from send_house import BOB, SendTestCase, address, assert_delivered, assert_failed
from twisted.internet.threads import deferToThread

from mailsys.config.nexthop import parse_route
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Body
from mailsys.send.routes import Routes

CARL, NOBODY = address("carl@example.test"), address("nobody@example.test")
HEAD = (
    b"From: ann@sender.test\r\nTo: bob@example.test\r\nSubject: number %d\r\n"
    b"Date: Wed, 25 Nov 2026 18:00:00 +0000\r\nMessage-ID: <%d@sender.test>\r\n\r\n"
)
BODIES = [
    b"short\r\n",
    b".\r\n..\r\n.dot\r\n\r\n.\r\n",
    b"Gr\xc3\xbc\xc3\x9fe\r\n",
    (b"x" * 70 + b"\r\n") * 5000 + b".\r\n",
    b"y" * 16384 + b"\r\n.\r\n",
]
LETTERS = [HEAD % (number, number) + body for number, body in enumerate(BODIES)]


class Peers(SendTestCase):
    timeout = 60

    async def start(self, make):
        peer = await deferToThread(make)
        self.addCleanup(deferToThread, peer.stop)
        return peer

    def delivery_to(self, peer, scheme="smtp"):
        routes = Routes(None, {"example.test": parse_route(f"{scheme}://{peer.address}:{peer.port}")})
        return self.delivery(1, "", routes=routes, seconds=20)

    async def letters(self, peer, *recipients, scheme="smtp", letters=LETTERS):
        """Send them over one connection; what arrived."""
        delivery = self.delivery_to(peer, scheme)
        for letter in letters:
            attempts = await self.deliver(delivery, *recipients, letter=letter, body=Body.EIGHT_BIT_MIME)
            for recipient in recipients:
                if recipient != NOBODY:
                    assert_delivered(attempts[recipient])
                else:
                    assert_failed(attempts[recipient], attempts[recipient].outcome.reply.enhanced)
        assert len(self.kept) == 1
        return await deferToThread(peer.arrived, len(letters) * len(set(recipients) - {NOBODY}))

    def assert_same(self, arrived, letters=LETTERS):
        """Each as it was sent, behind what the server put in front; in the Unix form if it keeps that."""
        wanted = [letter.replace(b"\r\n", b"\n") for letter in letters]
        found = [octets.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n" for octets in arrived]
        for letter in wanted:
            assert sum(octets.endswith(letter) for octets in found) == len(found) // len(wanted)

    @pytest.mark.row(4)
    async def test_smtp_sink(self):
        for options in ([], ["-p"], ["-e"], ["-8", "-p"]):
            sink = await self.start(lambda options=options: Sink(*options))
            letters = [letter for letter in LETTERS if letter.isascii() or not {"-8", "-e"} & set(options)]
            self.assert_same(await self.letters(sink, BOB, letters=letters), letters)

    @pytest.mark.row(4)
    async def test_smtp_sink_with_lmtp(self):
        sink = await self.start(lambda: Sink("-L"))
        self.assert_same(await self.letters(sink, BOB, scheme="lmtp"))

    @pytest.mark.row(4)
    async def test_postfix(self):
        self.assert_same(await self.letters(await self.start(Postfix), BOB, NOBODY, CARL))

    @pytest.mark.row(4)
    async def test_exim(self):
        self.assert_same(await self.letters(await self.start(Exim), BOB, NOBODY))

    @pytest.mark.row(4)
    async def test_opensmtpd(self):
        self.assert_same(await self.letters(await self.start(OpenSmtpd), BOB))

    @pytest.mark.row(4)
    async def test_dovecot_lmtp(self):
        self.assert_same(await self.letters(await self.start(DovecotLmtp), BOB, CARL, scheme="lmtp"))

    @pytest.mark.row(4)
    async def test_ourselves(self):
        self.assert_same(await self.letters(await self.start(lambda: Ourselves("smtp")), BOB, NOBODY, CARL))

    @pytest.mark.row(4)
    async def test_ourselves_with_lmtp(self):
        peer = await self.start(lambda: Ourselves("lmtp"))
        self.assert_same(await self.letters(peer, BOB, NOBODY, CARL, scheme="lmtp"))

    async def test_aiosmtpd(self):
        pytest.importorskip("aiosmtpd")
        peer = await self.start(Aiosmtpd)
        delivery = self.delivery_to(peer)
        letters = [letter for letter in LETTERS if max(map(len, letter.split(b"\r\n"))) < 998]
        for letter in letters:
            assert_delivered((await self.deliver(delivery, BOB, letter=letter))[BOB])
        assert peer.messages == letters

    @pytest.mark.row(3)
    async def test_bare_line_ends(self):
        """Row 3: what was stored with LF arrives as lines, at a server that refuses anything else."""
        postfix = await self.start(Postfix)
        delivery = self.delivery_to(postfix)
        letter = LETTERS[1].replace(b"\r\n", b"\n")
        assert_delivered((await self.deliver(delivery, BOB, content=MemoryContent((letter,))))[BOB])
        self.assert_same(await deferToThread(postfix.arrived, 1), LETTERS[1:2])


class Aiosmtpd:
    """The server of that name, in a thread with a loop of its own."""

    address = "127.0.0.1"

    def __init__(self):
        from aiosmtpd.smtp import SMTP

        self.messages = []
        self._loop = asyncio.new_event_loop()
        make = self._loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, loop=self._loop, hostname="aio.test"), "127.0.0.1", 0
        )
        self._server = self._loop.run_until_complete(make)
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - its name for it
        self.messages.append(envelope.original_content)
        return "250 2.0.0 OK"

    def stop(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
