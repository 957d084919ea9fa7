"""DATA on its way out: every line ends with CR LF, every dot is doubled, wherever the pieces are cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.data import DataDecoder, DataEncoder
from mailsys.wire.line_ends import LineEnds

CHUNK = 16 * 1024
# What the wire must be made of: lines that end with CR LF and hold neither.
LINES = re.compile(rb"(?:[^\r\n]*\r\n)*")
NASTY = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"..", b"\r\n.\r\n", b"\0"])).map(
    b"".join
)


def encode(pieces):
    encoder = DataEncoder()
    return b"".join([*map(encoder.feed, pieces), encoder.end()])


def repaired(content):
    """The same by simpler means: each CR LF, CR and LF is a line end, and the last line has one."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines += b"" if not lines or lines.endswith(b"\n") else b"\n"
    return lines.replace(b"\n", b"\r\n")


def decode(wire):
    decoder = DataDecoder()
    content, rest = decoder.feed(wire)
    return content, rest, decoder.scan


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)] or [b""]


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.b\r\n", b"a\r\n..b\r\n.\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\rb\r", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"\n\r", b"\r\n\r\n.\r\n"),
        (b"\r\r\n", b"\r\n\r\n.\r\n"),
    ],
)
def test_encoding(content, wire):
    assert encode([content]) == wire
    assert encode(cut(content, 1)) == wire
    for at in range(len(content)):
        assert encode([content[:at], content[at:]]) == wire


@pytest.mark.row(4)
@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_dots_at_each_offset_around_the_edge_of_a_chunk(line_end):
    """Row 4: nothing that stands there can end the message, and the receiver has what was stored."""
    for offset in range(CHUNK - 8, CHUNK + 8):
        content = (
            (b"x" * (offset - len(line_end)))
            + line_end
            + b"."
            + line_end
            + b"MAIL FROM:<evil@example.org>\r\n"
        )
        for size in (CHUNK, 4096, 10**6):
            wire = encode(cut(content, size))
            decoded, rest, scan = decode(wire)
            assert decoded == repaired(content)
            assert (rest, scan.fault()) == (b"", None)


@pytest.mark.row(3)
@pytest.mark.row(4)
@given(NASTY, st.integers(1, 20))
def test_whatever_is_stored_leaves_as_lines(content, size):
    """Rows 3 and 4: no CR or LF stands alone, and what our own decoder makes of it is what was stored."""
    wire = encode(cut(content, size))
    assert wire == encode([content])
    assert LINES.fullmatch(wire)
    decoded, rest, _scan = decode(wire)
    assert (decoded, rest) == (repaired(content), b"")


@given(st.binary(max_size=300), st.integers(1, 50))
def test_arbitrary_octets(content, size):
    decoded, rest, _scan = decode(encode(cut(content, size)))
    assert (decoded, rest) == (repaired(content), b"")


@pytest.mark.row(3)
@given(NASTY, st.integers(1, 20))
def test_line_ends_alone(content, size):
    """Row 3: the same for BDAT, where no dots are stuffed; and it is told whether anything changed."""
    ends = LineEnds()
    lines = b"".join([*map(ends.feed, cut(content, size)), ends.end()])
    assert lines == repaired(content)
    assert ends.repaired == (lines != content)
