"""Where the parts of a message begin and end, also of messages that break the rules."""

import random

import pytest
from mime import drawn, message, messages_within, nested

from mailsys.message.content import MemoryContent
from mailsys.message.structure.parts import Kind
from mailsys.message.structure.scan import ScanLimits, scan, scan_octets, scan_pieces

MIXED = message(
    """\
Subject: two parts
Content-Type: multipart/mixed; boundary=cut

a preamble
--cut

first
--cut
Content-Type: text/html

<p>second
--cut--
an epilogue
"""
)


def parts_of(octets, limits=None):
    """What comes out, the same however the octets are cut."""
    whole = scan_octets(octets, *([limits] if limits else []))
    for size in (1, 2, 3, 7, 64):
        pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
        assert places(scan_pieces(pieces, *([limits] if limits else []))) == places(whole)
    return whole


def places(part):
    return (part.kind, part.media_type, part.start, part.body, part.end, [places(p) for p in part.children])


def bodies(octets):
    """Only types and bodies."""

    def of(part):
        type_, _header, body = part
        return type_, [of(child) for child in body] if isinstance(body, list) else body

    return of(drawn(parts_of(octets), octets))


def test_an_empty_line_of_a_body_is_none_of_the_header():
    message = parts_of(b"A: b\n\n\r\nbody")
    assert message.body.offset == len(b"A: b\n\n")


_HEADERS = [
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=x\n\n",
    b"Content-Type: message/rfc822\n\n",
    b"Subject: x\n\n",
    b"",
]
_PIECES = [b"\r", b"\n", b"\r\n", b"a", b"bcd", b"\n--x", b"\r\n--x\r\n", b"--", b"A: b\r\n", b"\n\n"]


def test_where_pieces_are_cut_makes_no_difference():
    drawer = random.Random(5)
    for _ in range(300):
        octets = drawer.choice(_HEADERS) + b"".join(drawer.choices(_PIECES, k=drawer.randint(1, 8)))
        whole = places(scan_octets(octets))
        for cut in range(1, len(octets)):
            assert places(scan_pieces([octets[:cut], octets[cut:]])) == whole, (octets, cut)


def test_text_is_one_part():
    octets = message("Subject: x\n\nline\nline")
    part = parts_of(octets)
    assert drawn(part, octets) == ("text/plain", b"Subject: x\r\n\r\n", b"line\r\nline")
    assert (part.octets, part.lines) == (10, 1)


def test_the_line_end_before_a_boundary_belongs_to_it():
    assert bodies(MIXED) == ("multipart/mixed", [("text/plain", b"first"), ("text/html", b"<p>second")])


def test_bare_line_ends_count_as_two_octets_on_the_wire():
    bare = MIXED.replace(b"\r\n", b"\n")
    part = parts_of(bare)
    assert bodies(bare) == ("multipart/mixed", [("text/plain", b"first"), ("text/html", b"<p>second")])
    assert part.end.wire == len(MIXED)
    assert part.octets == len(MIXED) - MIXED.index(b"\r\n\r\n") - 4
    assert part.children[1].body.wire == MIXED.index(b"<p>")


def test_a_message_within_a_part():
    octets = message(
        """\
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/alternative; boundary=b

--b

one
--b

two
--b--
--a--
"""
    )
    inner = ("multipart/alternative", [("text/plain", b"one"), ("text/plain", b"two")])
    assert bodies(octets) == ("multipart/mixed", [("message/rfc822", [inner])])
    found = parts_of(octets).children[0]
    assert found.kind is Kind.MESSAGE
    assert found.children[0].headers.text(b"subject") == "inner"
    assert found.lines == 10


def test_parts_of_a_digest_are_messages():
    octets = message("Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\n\nhello\n--d--\n")
    assert bodies(octets) == ("multipart/digest", [("message/rfc822", [("text/plain", b"hello")])])


@pytest.mark.row(37)
@pytest.mark.parametrize(
    ("octets", "found"),
    [
        pytest.param(
            "Content-Type: multipart/mixed\n\nbody\n--x\n",
            ("multipart/mixed", b"body\r\n--x\r\n"),
            id="absent",
        ),
        pytest.param(
            'Content-Type: multipart/mixed; boundary=""\n\n--\n\nx\n----\n',
            ("multipart/mixed", b"--\r\n\r\nx\r\n----\r\n"),
            id="empty",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=x\n\nno such line\n",
            ("multipart/mixed", b"no such line\r\n"),
            id="does-not-come",
        ),
        pytest.param(
            f"Content-Type: multipart/mixed; boundary={'x' * 10_000}\n\n--{'x' * 10_000}\n\nbody\n",
            ("multipart/mixed", [("text/plain", b"body\r\n")]),
            id="10-kB",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nbody\n",
            ("multipart/mixed", [("text/plain", b"body\r\n")]),
            id="not-ended",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=x\n\n--x\nSubject: y\n--x\n\nz\n--x--",
            ("multipart/mixed", [("text/plain", b""), ("text/plain", b"z")]),
            id="in-a-header",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=foo\n\n--foo\n"
            "Content-Type: multipart/mixed; boundary=foobar\n\n--foobar\n\nA\n--foobar--\n"
            "--foo\n\nB\n--foo--\n",
            ("multipart/mixed", [("multipart/mixed", [("text/plain", b"A")]), ("text/plain", b"B")]),
            id="prefix-of-the-inner",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=foobar\n\n--foobar\n"
            "Content-Type: multipart/mixed; boundary=foo\n\n--foo\n\nA\n--foo--\n--foobar\n\nB\n--foobar--\n",
            ("multipart/mixed", [("multipart/mixed", [("text/plain", b"A")]), ("text/plain", b"B")]),
            id="prefix-of-the-outer",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=x\n\n--x\n"
            "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nA\n--x--\n--x\n\nB\n--x--\n",
            ("multipart/mixed", [("multipart/mixed", [("text/plain", b"A")]), ("text/plain", b"B")]),
            id="the-same-twice",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nA\n--a\n\nB\n--b\n\n--a--\n",
            (
                "multipart/mixed",
                [("multipart/mixed", [("text/plain", b"A")]), ("text/plain", b"B\r\n--b\r\n")],
            ),
            id="outer-ends-inner",
        ),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=x\n\n--x \t\n\nA\n--x-- \n--x\n\nafter\n",
            ("multipart/mixed", [("text/plain", b"A")]),
            id="spaces-and-more-after-the-end",
        ),
        pytest.param("Content-Type: text\n\nx", ("text/plain", b"x"), id="no-subtype"),
        pytest.param("Content-Type: \n\nx", ("text/plain", b"x"), id="no-type"),
        pytest.param("no header at all\nx", ("text/plain", b""), id="no-header"),
        pytest.param("", ("text/plain", b""), id="nothing"),
    ],
)
def test_broken_multiparts_have_one_fixed_result(octets, found):
    assert bodies(message(octets)) == found


@pytest.mark.row(34)
@pytest.mark.parametrize("depth", [50, 99, 100, 101, 400, 10_000])
def test_beyond_a_hundred_levels_the_rest_is_one_opaque_part(depth):
    for made in (nested(depth), messages_within(depth)):
        part, levels = scan_octets(made + b"x"), 0
        while part.children:
            part, levels = part.children[0], levels + 1
        assert levels == min(depth, 100)
        assert part.kind is (Kind.OPAQUE if depth > 100 else Kind.LEAF)
        assert part.end.offset == len(made) + 1


@pytest.mark.row(35)
def test_parts_beyond_ten_thousand_are_not_told():
    octets = message(b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\ny\n" * 100_000)
    part = scan_octets(octets)
    assert len(part.children) == 9_999
    assert part.children[-1].octets == 1
    assert part.end.offset == len(octets)


@pytest.mark.row(35)
def test_a_header_beyond_its_bounds_still_ends_where_it_ends():
    octets = message(b"Content-Type: text/html\nX: " + b"a" * 1_000_000 + b"\nSubject: late\n\nbody")
    for part in (
        scan_octets(octets),
        scan_pieces([octets[at : at + 9999] for at in range(0, 1_100_000, 9999)]),
    ):
        assert part.media_type == b"text/html"
        assert not part.headers.complete
        assert octets[part.body.offset :] == b"body"


def test_a_header_without_end_is_a_message_without_body():
    part = scan_pieces([b"X: " + b"y\r\n z" * 1000] * 100)
    assert part.body == part.end
    assert part.end.lines == 100_000


def test_headers_of_all_parts_together_are_bounded():
    limits = ScanLimits(all_headers_octets=80)
    octets = message(
        b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\nContent-Type: image/png\n\ny\n" * 3
    )
    found = parts_of(octets, limits)
    assert [part.media_type for part in found.children] == [b"image/png", b"text/plain", b"text/plain"]


def test_boundaries_that_begin_with_one_another_are_not_sought_for_ever():
    outer = b"".join(
        b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (b"a" * n, b"a" * n) for n in range(1, 99)
    )
    octets = message(outer + b"--" + b"a" * 98 + b"\n\nx\n") + message(b"--%s\n\nx\n" % (b"a" * 98)) * 9_000
    part = scan_octets(octets)
    assert part.end.offset == len(octets)


def test_a_large_message_is_read_in_pieces():
    class Large(MemoryContent):
        def read(self, offset, octets):
            raise AssertionError("read whole")

    body = b"x" * 78 + b"\r\n"
    content = Large([MIXED[: MIXED.index(b"first")], *[body] * 10_000, b"\r\n--cut--\r\n"])
    part = scan(content)
    assert part.children[0].octets == 800_000
    assert part.children[0].lines == 10_000
