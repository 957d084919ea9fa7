"""Parts by their numbers, their octets on the wire, and what is behind their encoding."""

import base64
import quopri

import pytest
from mime import message

from mailsys.message.content import FileContent, MemoryContent
from mailsys.message.structure.decoding import decode, is_known
from mailsys.message.structure.scan import scan_octets
from mailsys.message.structure.sections import (
    Span,
    body_span,
    find_message,
    find_part,
    header_span,
    read_decoded,
    read_wire,
    select_fields,
    whole_span,
)

LETTER = """\
Subject: outer
Content-Type: multipart/mixed; boundary=a

--a

one
--a
Content-Type: message/rfc822
Content-Description: a letter

Subject: inner
Content-Type: multipart/alternative; boundary=b

--b
X: y

two
--b
Content-Type: text/html

three
--b--

--a
Content-Type: message/rfc822

Subject: plain

four
--a--
"""


def whole(octets, span, *range_):
    return b"".join(read_wire(MemoryContent([octets]), span, *range_))


def body(numbers, octets=None):
    octets = octets or message(LETTER)
    part = find_part(scan_octets(octets), numbers)
    return None if part is None else whole(octets, body_span(part))


def header(numbers):
    octets = message(LETTER)
    found = find_message(scan_octets(octets), numbers)
    return None if found is None else whole(octets, header_span(found))


def test_parts_by_their_numbers():
    assert body([1]) == b"one"
    assert body([2, 1]) == b"two"
    assert body([2, 2]) == b"three"
    assert body([3, 1]) == b"four"
    assert body([2]).startswith(b"Subject: inner\r\n")
    for missing in ([4], [1, 1], [2, 3], [3, 2], [2, 1, 1], [9, 9, 9]):
        assert body(missing) is None


def test_headers_of_messages_and_of_parts():
    assert header([]).startswith(b"Subject: outer\r\n")
    assert header([2]).startswith(b"Subject: inner\r\n")
    assert header([3]) == b"Subject: plain\r\n\r\n"
    assert header([1]) is None
    octets = message(LETTER)
    part = find_part(scan_octets(octets), [2, 1])
    assert whole(octets, header_span(part)) == b"X: y\r\n\r\n"


def test_a_message_that_is_no_multipart_is_its_part_1():
    octets = message("Subject: x\n\nbody\n")
    assert body([1], octets) == b"body\r\n"
    assert body([2], octets) is None
    forwarded = message("Content-Type: message/rfc822\n\nSubject: y\n\nbody\n")
    assert body([1], forwarded) == b"Subject: y\r\n\r\nbody\r\n"
    assert body([1, 1], forwarded) == b"body\r\n"


@pytest.mark.parametrize("form", [b"\n", b"\r\n", b"mixed"])
def test_lines_end_with_crlf_on_the_wire_and_ranges_count_there(form, tmp_path):
    octets = message(LETTER)
    stored = octets.replace(b"\r\n", b"\n") if form != b"\r\n" else octets
    if form == b"mixed":
        stored = stored.replace(b"\n", b"\r\n", 7).replace(b"three\n", b"three\r\n")
    (tmp_path / "message").write_bytes(stored)
    content = FileContent(str(tmp_path / "message"), len(stored))
    tree, wire_tree = scan_octets(stored), scan_octets(octets)
    for numbers in ([1], [2], [2, 1], [2, 2], [3, 1]):
        part, wire_part = find_part(tree, numbers), find_part(wire_tree, numbers)
        for of in (header_span, body_span, whole_span):
            span, expected = of(part), whole(octets, of(wire_part))
            assert span.octets == len(expected)
            for first in (0, 1, 5, len(expected) - 1, len(expected), len(expected) + 9):
                for count in (None, 0, 1, 7, 10_000):
                    end = None if count is None else first + count
                    assert b"".join(read_wire(content, span, first, count)) == expected[first:end]


def test_a_line_end_cut_by_pieces_is_one(monkeypatch):
    octets = b"x: y\n\n" + b"a\r\nb\n" * 50
    monkeypatch.setattr("mailsys.message.structure.sections.READ_OCTETS", 3)
    part = scan_octets(octets)
    assert whole(octets, body_span(part)) == b"a\r\nb\r\n" * 50
    within = Span(part.body._replace(offset=part.body.offset + 2), part.end)  # from the LF of a CRLF on
    assert whole(octets, within).startswith(b"\nb\r\na\r\n")


def test_a_message_that_became_shorter_is_an_error():
    octets = message(LETTER)
    span = whole_span(scan_octets(octets))
    with pytest.raises(OSError, match="shorter"):
        list(read_wire(MemoryContent([octets[:20]]), span))


def test_some_fields_of_a_header():
    header = b"Subject: a\r\n b\r\nTo: c\r\nstray\r\nsubject: d\r\n\r\n"
    assert select_fields(header, {b"subject"}) == b"Subject: a\r\n b\r\nsubject: d\r\n\r\n"
    assert select_fields(header, {b"subject"}, without=True) == b"To: c\r\n\r\n"
    assert select_fields(header, set()) == b"\r\n"
    assert select_fields(b"To: c", {b"to"}) == b"To: c\r\n\r\n"


def cut(octets, size):
    return [octets[at : at + size] for at in range(0, len(octets), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 76, 10_000])
@pytest.mark.parametrize(
    ("encoding", "octets", "decoded"),
    [
        (b"base64", base64.encodebytes(bytes(range(256)) * 4).replace(b"\n", b"\r\n"), bytes(range(256)) * 4),
        (b"BASE64", b"aGVs bG8*h\r\n", b"hello!"),
        (b"base64", b"aGVsbG8", b"hello"),
        (b"base64", b"aGVsbG8h\r\naGVs", b"hello!hel"),
        (b"base64", b"aGVsbG8hx", b"hello!"),
        (b"base64", b"aGk=aGVsbG8h", b"hi"),
        (b"base64", b"", b""),
        (b"quoted-printable", quopri.encodestring(b"gr\xfc\xdfe =\n" * 20), b"gr\xfc\xdfe =\n" * 20),
        (b"Quoted-Printable", b"so=\r\nft= \t\r\n line=3D=zz=", b"soft line==zz"),
        (b"quoted-printable", b"a=0D=0Ab\r\n", b"a\r\nb\r\n"),
        (b"7bit", b"=41 YQ==", b"=41 YQ=="),
        (b"x-uuencode", b"begin 644 x\r\n", b"begin 644 x\r\n"),
    ],
)
@pytest.mark.row(37)
def test_decoding_does_not_depend_on_the_pieces(encoding, octets, decoded, size):
    assert b"".join(decode(cut(octets, size), encoding)) == decoded


def test_known_encodings():
    assert all(map(is_known, [b"", b"8bit", b"Binary", b"BASE64", b"quoted-printable"]))
    assert not is_known(b"x-uuencode")


def test_what_is_decoded_had_crlf_before():
    octets = b"Content-Transfer-Encoding: quoted-printable\n\na=3D\nb\n"
    part = scan_octets(octets)
    assert b"".join(read_decoded(MemoryContent([octets]), part)) == b"a=\r\nb\r\n"
