"""Bodies and fields as they are hashed; the stream gives what the whole would."""

import random
import re

import pytest

from mailsys.dkim.canonical import BODIES, relaxed_field
from mailsys.dkim.signed_header import without_signature


def whole(kind, body):
    """RFC 6376 3.4.3 and 3.4.4 as they are written, of all octets at once."""
    if kind == "relaxed":
        if body and not body.endswith(b"\r\n"):
            body += b"\r\n"
        body = re.sub(rb"[ \t]+", b" ", re.sub(rb"[ \t]+\r\n", b"\r\n", body))
    body = re.sub(rb"(?:\r\n)*\Z", b"", body)
    return body + b"\r\n" if body or kind == "simple" else b""


def in_pieces(kind, pieces):
    body = BODIES[kind]()
    octets = [part for piece in pieces for part in body.feed(piece)]
    return b"".join([*octets, *body.finish()])


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        (b"", b"\r\n", b""),
        (b"\r\n\r\n", b"\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n", b" C\r\nD E\r\n"),  # RFC 6376 3.4.5
        (b"no end", b"no end\r\n", b"no end\r\n"),
        (b"bare \r and \n\r\n", b"bare \r and \n\r\n", b"bare \r and \n\r\n"),
    ],
)
def test_bodies(body, simple, relaxed):
    assert in_pieces("simple", [body]) == simple
    assert in_pieces("relaxed", [body]) == relaxed


def test_cut_anywhere_it_is_the_same():
    """Bodies of hardly anything but white space and line ends, in up to five pieces."""
    chance = random.Random(6376)
    for _ in range(5_000):
        body = b"".join(chance.choices([b" ", b"\t", b"\r\n", b"\r", b"\n", b"a"], k=chance.randint(0, 14)))
        cuts = sorted(chance.randint(0, len(body)) for _ in range(4))
        pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
        for kind in BODIES:
            assert in_pieces(kind, pieces) == whole(kind, body), (kind, pieces)


def test_many_empty_lines_are_not_kept_in_memory():
    body = BODIES["relaxed"]()
    assert list(body.feed(b"a\r\n")) == [b"", b"a"]
    for _ in range(100):
        assert list(body.feed(b"\r\n" * 10_000)) == []
    pieces = list(body.feed(b"b"))
    assert max(map(len, pieces)) < 100_000
    assert b"".join(pieces) == b"\r\n" * 1_000_001 + b"b"


def test_relaxed_fields():
    """RFC 6376 3.4.5, and names as obsolete syntax has them."""
    assert relaxed_field(b"A: X\r\n") == b"a:X\r\n"
    assert relaxed_field(b"B : Y\t\r\n\tZ  \r\n") == b"b:Y Z\r\n"
    assert relaxed_field(b"Subject:\r\n") == b"subject:\r\n"
    assert relaxed_field(b"X: a\x0b b\r\n") == b"x:a\x0b b\r\n"  # only spaces and tabs are white


def test_the_signature_itself_is_left_out_with_the_space_around_it():
    field = b"DKIM-Signature: v=1; bh=abb=; \r\n b = AA\r\n BB== ; d=b.example\r\n"
    assert without_signature(field) == b"DKIM-Signature: v=1; bh=abb=; \r\n b =; d=b.example\r\n"
