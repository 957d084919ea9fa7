"""DATA: dots, ends that are none, and what must not stand in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.data import ContentScan, DataDecoder, DataFault

FAKE_ENDS = [
    b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r",
    b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
]  # fmt: skip


def decode(pieces, line_limit=1024):
    decoder = DataDecoder(line_limit)
    out = []
    for number, piece in enumerate(pieces):
        octets, rest = decoder.feed(piece)
        out.append(octets)
        if rest is not None:
            return b"".join(out), rest + b"".join(pieces[number + 1 :]), decoder.scan.fault()
    return b"".join(out), None, decoder.scan.fault()


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a\r\n\r\n.\r\n", b"a\r\n\r\n"),
    ],
)
def test_decoding(wire, content):
    assert decode([wire + b"QUIT\r\n"]) == (content, b"QUIT\r\n", None)
    assert decode([bytes([octet]) for octet in wire + b"QUIT\r\n"]) == (content, b"QUIT\r\n", None)


@pytest.mark.row(1)
@pytest.mark.parametrize("fake", FAKE_ENDS)
def test_fake_ends_never_end_data(fake):
    """Row 1: what looks like an end is content, and the message is refused at its true end."""
    wire = b"Subject: x\r\n\r\nbody" + fake + b"MAIL FROM:<evil@example.org>\r\n.\r\nQUIT\r\n"
    for at in range(len(wire)):
        content, rest, fault = decode([wire[:at], wire[at:]])
        assert fault is DataFault.BARE
        assert rest == b"QUIT\r\n"
        assert b"MAIL FROM" in content


@pytest.mark.row(10)
@pytest.mark.parametrize(
    ("octets", "fault"),
    [(998, None), (1000, None), (1024, None), (1100, DataFault.LONG_LINE), (70000, DataFault.LONG_LINE)],
)
@pytest.mark.parametrize("step", [1, 100, 4096, 10**6])
def test_a_line_that_is_too_long_is_told_at_the_true_end(octets, fault, step):
    """Row 10: a long line never falls back to command mode."""
    wire = b"a\r\n" + b"x" * (octets - 2) + b"\r\nMAIL FROM:<x>\r\n.\r\n"
    pieces = [wire[at : at + step] for at in range(0, len(wire), step)]
    content, rest, found = decode(pieces, line_limit=1024)
    assert (rest, found) == (b"", fault)
    assert len(content) == len(wire) - 3


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"x", b"\r\n.\r\n"]), max_size=20),
    st.integers(1, 5),
)
def test_result_does_not_depend_on_the_split(parts, step):
    wire = b"".join(parts) + b"\r\n.\r\n"
    pieces = [wire[at : at + step] for at in range(0, len(wire), step)]
    assert decode(pieces) == decode([wire])


@given(st.binary(max_size=200))
def test_stuffed_content_comes_back(body):
    content = body.replace(b"\0", b"").replace(b"\r", b"").replace(b"\n", b"\r\n")
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    assert decode([stuffed + b".\r\n"]) == (content, b"", None)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x"]), max_size=20), st.integers(1, 5))
def test_scan_of_pieces_is_the_scan_of_the_whole(parts, step):
    data = b"".join(parts)
    whole, pieces = ContentScan(), ContentScan()
    whole.feed(data)
    for at in range(0, len(data), step):
        pieces.feed(data[at : at + step])
    bare = data.replace(b"\r\n", b"")
    assert whole.fault() is pieces.fault()
    assert (whole.fault() is DataFault.BARE) == (b"\r" in bare or b"\n" in bare)
