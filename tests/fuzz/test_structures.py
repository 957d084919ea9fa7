"""Messages that may be anything, taken apart: always a tree that fits, and forms that a client can read."""

import pytest
from cutting import cuts, flipped, flips, pieces
from hypothesis import given
from hypothesis import strategies as st
from imap_lists import read_lists

from mailsys.message.structure.describe import describe_octets
from mailsys.message.structure.parts import Kind
from mailsys.message.structure.scan import scan_octets, scan_pieces
from mailsys.message.structure.strings import as_ascii

pytestmark = [pytest.mark.row(37), pytest.mark.row(66)]

bits = st.sampled_from(
    [
        b"Content-Type: ",
        b"multipart/mixed; boundary=",
        b"multipart/digest; boundary=a",
        b"message/rfc822",
        b"text/html; charset=utf-8; name*0*=utf-8''%c3; name*1=\"",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename=",
        b"From: ",
        b"Subject: =?utf-8?q?x=C3?=",
        b"Date: 1 Jan 2020",
        b"a",
        b"ab",
        b'"',
        b"\\",
        b"--a",
        b"--ab",
        b"--",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r\n--a\r\n",
        b"\r\n--a--\r\n",
        b"\r\n--ab\n",
        b"\r",
        b"<p>&#",
        b";",
        b"(",
        b"\xc3\xa4",
        b"\0",
        b"\xff",
    ]
)
messages = st.lists(bits | st.binary(max_size=4), max_size=60).map(b"".join)


@pytest.fixture(scope="session")
def letters(shared_data):
    """Real messages."""
    found = [path.read_bytes() for path in sorted((shared_data / "cpython-test-email").glob("*.txt"))]
    if not found:
        pytest.skip("there are no sample messages in ../shared/data/cpython-test-email")
    return found


def places(part):
    return (part.kind, part.media_type, part.start, part.body, part.end, [places(p) for p in part.children])


def check_tree(part, octets):
    """Parts lie in their parts, one after the other, and are counted right."""
    assert part.start <= part.body <= part.end
    lines = octets[part.body.offset : part.end.offset]
    assert part.lines == lines.count(b"\n")
    assert part.end.bare == octets[: part.end.offset].count(b"\n") - octets[: part.end.offset].count(b"\r\n")
    at = part.body
    for child in part.children:
        assert at <= child.start
        check_tree(child, octets)
        at = child.end
    assert at <= part.end
    assert (part.kind is Kind.MESSAGE) <= (len(part.children) == 1)


def check(octets, sizes):
    tree = scan_octets(octets)
    check_tree(tree, octets)
    assert tree.end.offset == len(octets)
    assert places(scan_pieces(pieces(octets, sizes))) == places(tree)
    found = describe_octets(octets)
    assert found.wire_size == tree.end.wire
    for form in (found.envelope, found.body, found.body_structure):
        (lists,) = read_lists(form)
        plain = as_ascii(form)
        assert read_lists(plain) == [lists] or b"global" in form.lower()
        assert b"\0" not in form
    assert len(read_lists(found.envelope)[0]) == 10
    assert found.preview.isprintable()
    for text in found:
        if isinstance(text, str):
            text.encode()


@given(messages, cuts)
def test_anything(octets, sizes):
    check(octets, sizes)


@given(st.data())
def test_real_messages_cut_joined_and_spoilt(letters, data):
    one, other = data.draw(st.sampled_from(letters)), data.draw(st.sampled_from(letters))
    octets = one[: data.draw(st.integers(0, 3000))] + other[data.draw(st.integers(0, 3000)) :]
    check(flipped(octets, data.draw(flips)), [997])
