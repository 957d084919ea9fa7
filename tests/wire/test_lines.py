"""The line buffer: strict line ends, bounded memory, the same result however the bytes are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.lines import LineBuffer, LineFault


def lines_of(pieces, limit=16):
    buffer = LineBuffer(limit)
    found = []
    for piece in pieces:
        buffer.feed(piece)
        while (line := buffer.next_line()) is not None:
            found.append(line)
        assert len(buffer) <= limit + max(map(len, pieces))
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"NOOP\r\n", [b"NOOP"]),
        (b"A\r\nB\r\n", [b"A", b"B"]),
        (b"\r\n", [b""]),
        (b"A\nB\r\n", [LineFault.BARE]),
        (b"A\rB\r\n", [LineFault.BARE]),
        (b"A\r\r\n", [LineFault.BARE]),
        (b"x" * 14 + b"\r\n", [b"x" * 14]),
        (b"x" * 15 + b"\r\n", [LineFault.TOO_LONG]),
        (b"x" * 99 + b"\r\nNOOP\r\n", [LineFault.TOO_LONG, b"NOOP"]),
        (b"half", []),
    ],
)
def test_lines_whole_and_byte_by_byte(data, expected):
    assert lines_of([data]) == expected
    assert lines_of([bytes([octet]) for octet in data]) == expected


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x", b"y" * 20]), max_size=30), st.integers(1, 7))
def test_result_does_not_depend_on_the_split(parts, step):
    data = b"".join(parts)
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    assert lines_of(pieces or [b""]) == lines_of([data])


def test_an_endless_line_is_counted_and_not_kept():
    buffer = LineBuffer(512)
    for _ in range(100):
        buffer.feed(b"x" * 65536)
        assert buffer.next_line() is None
        assert len(buffer) <= 1
    assert buffer.skipped == 100 * 65536
