"""Messages for hosts that take only ASCII, or only lines: what each part becomes, and what must stay."""

import email
import email.policy
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsys.message.downgrade import Unconvertible, survey
from mailsys.message.parts import DEPTH, LINE_OCTETS, PARTS, Place, TooOdd, cut_lines, walk
from mailsys.message.structure.scan import scan_octets

TEXT = (
    "Subject: Grüße\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}"
)
MIXED = (
    b'Content-Type: multipart/mixed; boundary="b=1"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    b"pre\xc3\xa4mble\r\n"
    b"--b=1\r\n\r\nplain\r\n"
    b"--b=1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8BIT\r\n\r\n"
    b"<p>\xc3\xa4</p>\r\n"
    b"--b=1\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n"
    b"--b=1\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n\xc3\xb6\r\n"
    b"--b=1--\r\nepilogue\r\n"
)
SCRAPS = [
    b"--b", b"--b--", b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"a", b"=", b" ",
    b"Content-Type: message/rfc822",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Transfer-Encoding: binary",
]  # fmt: skip


def convert(message, *, is_binary=False, allow_8bit=False, step=10**9):
    pieces = [message[start : start + step] for start in range(0, len(message), step)]
    conversion = survey(pieces, is_binary, allow_8bit)
    return b"".join(conversion.pieces(pieces))


def payloads(message):
    """What a reader of mail makes of each leaf."""
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    return [part.get_payload(decode=True) for part in parsed.walk() if not part.is_multipart()]


@pytest.mark.parametrize("step", [1, 2, 7, 10**9])
def test_text(step):
    text = "Grüße,\r\n\r\n.dot = ä\r\nspace \r\nlong " + "ä" * 100 + "\r\n"
    message = TEXT.format(text).encode()
    converted = convert(message, step=step)
    head, body = converted.split(b"\r\n\r\n", 1)
    assert body.isascii()
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert b"Content-Transfer-Encoding: quoted-printable" in head
    assert b"8bit" not in head
    assert "Subject: Grüße".encode() in head  # a header has no lawful form in ASCII that all would read alike
    assert payloads(converted) == [text.encode()]


def test_what_needs_nothing_stays_as_it_is():
    for message in (
        b"",
        b"\r\n",
        b"Subject: x\r\n\r\nplain\r\n",
        b"no header",
        TEXT.format("ASCII").encode(),
    ):
        converted = convert(message)
        assert converted == message.replace(b"Encoding: 8bit", b"Encoding: 7bit")


@pytest.mark.parametrize("step", [1, 3, 10**9])
def test_parts(step):
    blob = bytes(range(1, 10)) + b"\xff\xfe" * 50
    message = MIXED % (b"8bit", blob.replace(b"\r", b"").replace(b"\n", b""))
    converted = convert(message, step=step)
    assert converted.isascii()
    assert payloads(converted) == payloads(message)
    assert converted.count(b"quoted-printable") == 2
    assert converted.count(b"base64") == 1
    assert b"8bit" not in converted.lower()


@pytest.mark.row(3)
@pytest.mark.parametrize("step", [1, 3, 10**9])
@pytest.mark.parametrize("allow_8bit", [False, True])
def test_binary_parts(step, allow_8bit):
    """Row 3: what only BINARYMIME can carry becomes base64, octet for octet; lines can stay lines."""
    blob = b"\0\r\n\n\r--b=2\r\n" + bytes(range(256)) * 3 + b"\n"
    message = MIXED % (b"binary", blob)
    converted = convert(message, is_binary=True, allow_8bit=allow_8bit, step=step)
    assert b"\0" not in converted
    assert b"\n" not in converted.replace(b"\r\n", b"")
    assert b"\r" not in converted.replace(b"\r\n", b"")
    assert payloads(converted)[2] == blob
    assert converted.isascii() != allow_8bit
    assert b"binary" not in converted


def test_without_header():
    assert payloads(convert("\r\nä\r\n".encode())) == ["ä\r\n".encode()]
    assert payloads(convert("Subject: x\r\n\r\nä".encode()))[0].strip() == "ä".encode()


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("Content-Type: multipart/mixed\r\n\r\nä", "without boundary"),
        ("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nä", "two fields content-type"),
        ("Content-Transfer-Encoding: base64\r\n\r\nä", "claims to be base64"),
        ("Content-Type: message/delivery-status\r\n\r\nä", "must stay as it is"),
        ("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nä\r\n--b--\r\n", "signed"),
        ("X: " + "x" * 100_000 + "\r\n\r\nä", "header that is too long"),
        (
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * (PARTS + 1),
            "too many parts",
        ),
        ("Content-Type: message/rfc822\r\n\r\n" * (DEPTH + 1), "too many parts"),
    ],
)
def test_what_cannot_be_done(message, why):
    with pytest.raises(Unconvertible, match=why):
        convert(message.encode())


@pytest.mark.row(34)
@pytest.mark.row(35)
def test_odd_messages_cost_little():
    nested = "".join(
        f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(10_000)
    )
    for message in (
        b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested.encode(),
        b"\r\n" * 500_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--x\r\n" * 200_000,
        b"Content-Type: text/plain; " + b"a=b; " * 10_000 + b"\r\n\r\nx",
        b"Content-Type: multipart/mixed; " + b'boundary="' * 5000 + b"\r\n\r\nx",
    ):
        began = time.monotonic()
        try:
            survey([message], False, False)
        except Unconvertible:
            pass
        assert time.monotonic() - began < 5


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(SCRAPS), max_size=40).map(b"".join),
    st.integers(1, 10),
    st.booleans(),
    st.booleans(),
)
def test_anything_at_all(message, step, is_binary, allow_8bit):
    """The same however it is cut; and a body in ASCII where that was asked for."""
    try:
        whole = convert(message, is_binary=is_binary, allow_8bit=allow_8bit)
    except Unconvertible:
        return
    assert convert(message, is_binary=is_binary, allow_8bit=allow_8bit, step=step) == whole
    _header, _empty, body = whole.partition(b"\r\n\r\n")
    if not allow_8bit and len(survey([message], is_binary, allow_8bit).encodings) == 1:
        assert body.isascii()


def test_lines():
    long = b"x" * (LINE_OCTETS + 5)
    assert list(cut_lines([b"a\r\nb", b"c\n", b"\r", b"d"])) == [
        (b"a\r\n", True),
        (b"bc\n", True),
        (b"\rd", True),
    ]
    assert list(cut_lines([long + b"\nz"])) == [(long[:-5], True), (b"xxxxx\n", False), (b"z", True)]
    assert list(cut_lines([])) == []
    with pytest.raises(TooOdd):
        list(walk([b"Content-Type: multipart/mixed; boundary=\xff\r\n\r\n"]))


def counted(part):
    return 1 + sum(counted(child) for child in part.children)


@pytest.mark.parametrize(
    "octets",
    [
        b"Content-Type: multipart/mixed; boundary=foo\r\n\r\n--foo\r\n\r\na\r\n--foo bar\r\n\r\nb\r\n"
        b"--foo--x\r\nc\r\n--foo\r\n\r\nd",
        b"Content-Type: multipart/mixed; boundary=foo\r\n\r\n--foo\r\nContent-Type: multipart/mixed;"
        b" boundary=foobar\r\n\r\n--foobar\r\n\r\na\r\n--foobar--\r\n--foo\r\n\r\nb\r\n--foo--\r\n",
        b'Content-Type: multipart/mixed; boundary="a b \\"c"\r\n\r\n--a b "c\r\n\r\nx\r\n--a b "c--\r\n',
        b"Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: x\r\n\r\ny\r\n--d--\r\n",
        b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny",
    ],
)
def test_parts_are_those_that_readers_are_told_of(octets):
    lines = list(walk([octets]))
    assert sum(line.place is Place.HEADER for line in lines) == counted(scan_octets(octets))
    assert b"".join(line.octets for line in lines) == octets
