import zlib

import pytest

from mailsys.wire.imap.deflate import AT_ONCE_OCTETS, BadStream, Deflater, Inflater


def inflated(inflater):
    pieces = []
    while piece := inflater.next():
        pieces.append(piece)
    return pieces


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_what_is_said_comes_at_once(step):
    deflater, inflater = Deflater(), Inflater()
    for line in (b"* OK hello\r\n", b"x" * 100, b"a NOOP\r\n"):
        sent = deflater.feed(line)
        heard = b""
        for start in range(0, len(sent), step):
            inflater.feed(sent[start : start + step])
            heard += b"".join(inflated(inflater))
        assert heard == line


@pytest.mark.row(38)
def test_a_bomb_comes_out_in_small_pieces():
    """Row 38: a thousandfold, and no more than a piece of it is held."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    octets = bomb.compress(bytes(20_000_000)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    assert len(octets) < 30_000
    inflater = Inflater()
    inflater.feed(octets)
    pieces = inflated(inflater)
    assert max(map(len, pieces)) <= AT_ONCE_OCTETS
    assert sum(map(len, pieces)) == 20_000_000


@pytest.mark.parametrize("data", [b"a NOOP\r\n\r\n", b"\xff" * 20, b"\x03\x00more"])
def test_what_is_no_stream(data):
    inflater = Inflater()
    inflater.feed(data)
    with pytest.raises(BadStream):
        inflated(inflater)
