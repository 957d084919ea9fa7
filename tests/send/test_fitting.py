"""Messages that a host does not take as they are: rewritten, or refused in words, over real sockets."""

import email

import pytest
from scripted import Polite, unstuffed
from send_house import BOB, SendTestCase, assert_delivered, assert_failed

from mailsys.message.content import FileContent
from mailsys.message.envelope import Body

EIGHT = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n.\r\n".encode()
BINARY = (
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n.\r\n\n\r."
)
CHUNKING = ("PIPELINING", "CHUNKING")


class Fitting(SendTestCase):
    async def one(self, polite, letter, **settings):
        """Deliver; the attempt, the MAIL line and the octets that arrived."""
        delivery = self.delivery(self.serve(polite).port)
        attempt = (await self.deliver(delivery, letter=letter, **settings))[BOB]
        sender, _recipients, octets = polite.messages[0] if polite.messages else (b"", [], b"")
        return attempt, sender, octets if "CHUNKING" in polite.offers else unstuffed(octets)

    async def test_8bit_where_it_is_taken(self):
        for declared in (Body.EIGHT_BIT_MIME, Body.SEVEN_BIT):
            attempt, sender, octets = await self.one(Polite("8BITMIME"), EIGHT, body=declared)
            assert_delivered(attempt)
            assert (sender.endswith(b" BODY=8BITMIME"), octets) == (True, EIGHT)

    async def test_8bit_where_it_is_not_taken(self):
        for offers in ((), CHUNKING):
            attempt, sender, octets = await self.one(
                Polite(*offers, "SIZE 1000"), EIGHT, body=Body.EIGHT_BIT_MIME
            )
            assert_delivered(attempt)
            assert b"BODY" not in sender
            assert b"SIZE" not in sender  # it is not known before it is written
            assert octets.isascii()
            assert email.message_from_bytes(octets).get_payload(decode=True) == "Grüße\r\n.\r\n".encode()

    async def test_8bit_declared_but_not_there(self):
        letter = b"Subject: x\r\n\r\nplain\r\n"
        attempt, sender, octets = await self.one(Polite(), letter, body=Body.EIGHT_BIT_MIME)
        assert_delivered(attempt)
        assert (b"BODY" in sender, octets) == (False, letter)

    async def test_a_large_file_is_rewritten_piece_by_piece(self):
        path = self.mktemp()
        letter = EIGHT + "ä\n".encode() * 200_000
        with open(path, "wb") as file:
            file.write(letter)
        content = FileContent(path, len(letter))
        attempt, _sender, octets = await self.one(Polite(), b"", content=content, body=Body.EIGHT_BIT_MIME)
        assert_delivered(attempt)
        assert octets.isascii()
        payload = email.message_from_bytes(octets).get_payload(decode=True)
        assert payload == "Grüße\r\n.\r\n".encode() + "ä\r\n".encode() * 200_000

    async def test_what_cannot_be_rewritten(self):
        signed = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa4\r\n--b--\r\n"
        attempt, _sender, _octets = await self.one(Polite(), signed, body=Body.EIGHT_BIT_MIME)
        assert_failed(attempt, "5.6.3")
        assert "signed" in attempt.outcome.reply.text

    @pytest.mark.row(3)
    async def test_binary_where_it_is_taken(self):
        """Row 3: octet for octet."""
        polite = Polite(*CHUNKING, "BINARYMIME", "8BITMIME")
        attempt, sender, octets = await self.one(polite, BINARY, body=Body.BINARY_MIME)
        assert_delivered(attempt)
        assert sender.endswith(b" BODY=BINARYMIME")
        assert octets == BINARY

    @pytest.mark.row(3)
    async def test_binary_where_it_is_not_taken(self):
        """Row 3: as base64, in lines, whether 8-bit lines would be taken or not."""
        for offers in ((), ("8BITMIME",), CHUNKING, ("BINARYMIME",), ("8BITMIME", *CHUNKING)):
            attempt, sender, octets = await self.one(Polite(*offers), BINARY, body=Body.BINARY_MIME)
            assert_delivered(attempt)
            assert b"BINARYMIME" not in sender
            assert b"\n" not in octets.replace(b"\r\n", b"")
            assert email.message_from_bytes(octets).get_payload(decode=True) == b"\0\r\n.\r\n\n\r."

    @pytest.mark.row(3)
    async def test_binary_that_cannot_be_rewritten(self):
        letter = b"Content-Type: message/partial\r\n\r\n\0\n"
        attempt, _sender, _octets = await self.one(Polite(), letter, body=Body.BINARY_MIME)
        assert_failed(attempt, "5.6.1")

    @pytest.mark.row(3)
    async def test_bare_line_ends_leave_as_lines(self):
        """Row 3: with DATA and with BDAT; nothing in the message passes for its end or for a command."""
        letter = b"Subject: x\n\nbody\n.\nMAIL FROM:<evil@example.test>\r.\rRSET\n.\r\nend"
        lines = letter.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
        for offers in ((), CHUNKING):
            polite = Polite(*offers)
            attempt, _sender, octets = await self.one(polite, letter)
            assert_delivered(attempt)
            assert octets == lines
            assert len(polite.messages) == 1

    @pytest.mark.row(4)
    async def test_dots_around_the_edges_of_pieces(self):
        """Row 4: over a socket, from a file that is read in pieces."""
        path = self.mktemp()
        edge = 256 * 1024
        for line_end in (b"\n", b"\r", b"\r\n"):
            for offset in range(edge - 3, edge + 3):
                letter = (
                    b"x" * (offset - len(line_end)) + line_end + b"." + line_end + b"RSET\r\n" + b"y" * 100
                )
                with open(path, "wb") as file:
                    file.write(letter)
                content = FileContent(path, len(letter))
                attempt, _sender, octets = await self.one(Polite(), b"", content=content)
                assert_delivered(attempt)
                lines = letter.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
                assert octets == lines + b"\r\n"
