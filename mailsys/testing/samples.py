"""Sessions, envelopes and messages of all kinds, such as strangers send."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import Peer, Session
from mailsys.message.address import Address, parse_address
from mailsys.message.content import READ_OCTETS, Content, MemoryContent
from mailsys.message.envelope import Body, Envelope

ANN = parse_address("ann@example.org")
FRIEND = parse_address("friend@client.example")
ODD_ADDRESSES: Sequence[Address] = (
    parse_address('"a b@c"@example.org'),
    parse_address("jürgen@müller.example"),
    parse_address("x@[192.0.2.1]"),
    parse_address("a" * 64 + "@example.org"),
    parse_address("nobody@nowhere.example"),
    Address("*", "example.org"),
)
SESSIONS: Sequence[Session] = (
    Session("s1", Peer("198.51.100.7", 40000, "smtp")),
    Session("s2", Peer("2001:db8::7", 40000, "smtp"), "client.example", "ESMTPS", "TLSv1.3 AES"),
    Session("s3", Peer("", 0, "lmtp"), "local", "LMTP"),
    Session("s4", Peer("127.0.0.1", 40000, "smtp"), "[127.0.0.1]", "ESMTPSA", "TLSv1.2", login=ANN),
    Session("s5", Peer("198.51.100.7", 40000, "smtp"), "x", spoke_early=True),
)  # fmt: skip
PLAIN = b"From: friend@client.example\r\nTo: ann@example.org\r\nSubject: Hello\r\n\r\nText\r\n"
MESSAGES: Sequence[bytes] = (
    PLAIN,
    b"",
    b"\r\n",
    b"no header at all\r\n",
    b"Subject: no end of the header",
    b"From: \xff\xfe <a@b>\r\nSubject: =?utf-8?q?broken\r\n\r\n\x00\x80binary\r\n",
    b"X: " + b"y" * 200_000 + b"\r\n\r\n",
    b"A: b\r\n" * 5_000 + b"\r\n",
    PLAIN + b"line of text\r\n" * (3 * READ_OCTETS // 14),
)
ENVELOPES: Sequence[Envelope] = (
    Envelope("s1.1", FRIEND, (ANN,)),
    Envelope("s1.2", None, (ANN, *ODD_ADDRESSES), Body.EIGHT_BIT_MIME, smtputf8=True),
)


def contents() -> Sequence[Content]:
    """Each message, in one piece and in several."""
    whole = [MemoryContent([octets]) for octets in MESSAGES]
    return [*whole, MemoryContent([PLAIN[:7], PLAIN[7:]])]


class UnreadableContent:
    """A message whose disk is broken."""

    size = len(PLAIN)

    def read(self, offset: int, octets: int) -> bytes:
        """Raise OSError."""
        raise OSError("input/output error")

    def pieces(self):  # type: ignore[no-untyped-def]
        """Raise OSError after the first piece."""
        yield PLAIN[:10]
        raise OSError("input/output error")
