"""Replies of servers: what is one, what is none, and how much of it is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.reply import Reply
from mailsys.wire.smtp.offers import Offers, parse_offers
from mailsys.wire.smtp.replies import LINE_OCTETS, REPLY_LINES, ReplyFault, ReplyReader


def read(*pieces):
    reader, found = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (reply := reader.next_reply()) is not None:
            found.append(reply)
            if isinstance(reply, ReplyFault):
                return found
    return found


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250 OK\r\n", Reply(250, "", "OK")),
        (b"250\r\n", Reply(250, "", "")),
        (b"250 \r\n", Reply(250, "", "")),
        (b"250 2.1.0 Sender OK\r\n", Reply(250, "2.1.0", "Sender OK")),
        (b"250 2.1.0\r\n", Reply(250, "2.1.0", "")),
        (b"550-5.1.1 No\r\n550 5.1.1 such user\r\n", Reply(550, "5.1.1", "No\nsuch user")),
        (b"550-5.7.1 Blocked\r\n550 see example.org\r\n", Reply(550, "5.7.1", "Blocked\nsee example.org")),
        (b"250-\r\n250 a\r\n", Reply(250, "", "\na")),
        (b"450 5.1.1 says two things\r\n", Reply(450, "", "5.1.1 says two things")),
        (b"550 5.1.1234 no code\r\n", Reply(550, "", "5.1.1234 no code")),
        (b"354 2.0.0 go\r\n", Reply(354, "", "2.0.0 go")),
        (b"220 m\xc3\xbcller\r\n", Reply(220, "", "müller")),
        (b"220 \xff\x1b[2J\x00\r\n", None),
        (b"220 \xff\x1b[2J\r\n", Reply(220, "", "\ufffd?[2J")),
    ],
)
def test_reading(wire, reply):
    expected = [reply] if reply else [ReplyFault.NO_REPLY]
    assert read(wire) == expected
    assert read(*(bytes([octet]) for octet in wire)) == expected
    for at in range(len(wire)):
        assert read(wire[:at], wire[at:]) == expected


@pytest.mark.row(29)
@pytest.mark.parametrize(
    ("wire", "fault"),
    [
        (b"999 what\r\n", ReplyFault.NO_REPLY),
        (b"150 wait\r\n", ReplyFault.NO_REPLY),
        (b"2500\r\n", ReplyFault.NO_REPLY),
        (b"2500 OK\r\n", ReplyFault.NO_REPLY),
        (b"25\r\n", ReplyFault.NO_REPLY),
        (b"\r\n", ReplyFault.NO_REPLY),
        (b"260 OK\r\n", ReplyFault.NO_REPLY),
        (b"250=OK\r\n", ReplyFault.NO_REPLY),
        (b"HTTP/1.1 400 Bad Request\r\n", ReplyFault.NO_REPLY),
        (b"250-a\r\n550 b\r\n", ReplyFault.CODES_DIFFER),
        (b"250 OK\n250 OK\r\n", ReplyFault.BARE),
        (b"250 a\rb\r\n", ReplyFault.BARE),
        (b"250-" + b"x" * LINE_OCTETS, ReplyFault.TOO_LONG),
        (b"250 " + b"x" * LINE_OCTETS + b"\r\n", ReplyFault.TOO_LONG),
        (b"250-x\r\n" * REPLY_LINES, ReplyFault.TOO_MANY_LINES),
        (b"250-x\r\n" * 10**5, ReplyFault.TOO_MANY_LINES),
        (b"x" * 10**6, ReplyFault.TOO_LONG),
    ],
)
def test_what_is_no_reply(wire, fault):
    """Row 29: a hostile server's words are a fault, and nothing behind it is looked at."""
    assert read(wire) == [fault]


@pytest.mark.row(29)
def test_lines_without_end_are_not_kept():
    reader = ReplyReader()
    for _ in range(100):
        reader.feed(b"x" * 65536)
        assert reader.next_reply() is ReplyFault.TOO_LONG
    assert len(reader) < 2 * LINE_OCTETS


@given(st.binary(max_size=200), st.integers(1, 20))
def test_any_octets_in_any_pieces(data, step):
    whole = read(data)
    assert read(*(data[start : start + step] for start in range(0, len(data), step))) == whole
    assert all(isinstance(reply, Reply) for reply in whole[:-1])


def offers(*lines):
    return parse_offers(Reply(250, "", "\n".join(["mx.example says hello", *lines])))


def test_offers():
    offered = offers("PIPELINING", "size 1000", "AUTH plain LOGIN", "LIMITS MAILMAX=5 RCPTMAX=20", "8BITMIME")
    assert offered.name == "mx.example"
    assert {"PIPELINING", "SIZE", "AUTH", "8BITMIME"} < set(offered.keywords)
    assert "STARTTLS" not in offered
    assert offered.size_limit == 1000
    assert offered.mechanisms == ("PLAIN", "LOGIN")
    assert offered.recipient_limit == 20
    assert not offered.chunking


@pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE -1", "SIZE x", "SIZE " + "9" * 30, "SIZES 5", ""])
def test_no_limit_of_size(line):
    assert offers(line).size_limit is None


@pytest.mark.parametrize("line", ["LIMITS", "LIMITS RCPTMAX=x", "LIMITS MAILMAX=1"])
def test_no_limit_of_recipients(line):
    assert offers(line).recipient_limit is None


def test_chunking_needs_pipelining():
    assert offers("CHUNKING", "PIPELINING").chunking
    assert not offers("CHUNKING").chunking
    assert Offers().mechanisms == ()
