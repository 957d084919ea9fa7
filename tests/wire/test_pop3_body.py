"""Multi-line bodies and TOP: right for any octets, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.pop3.body import BodyEncoder, TopCut, encode_body

EXAMPLES = [
    b"",
    b".",
    b"\r\n",
    b"\n",
    b"a: b\r\n\r\nbody\r\n",
    b"a: b\n\n.\n..\n.x\n",
    b".a: b\r\n\r\n.\r\n",
    b"no end",
    b"bare \r inside\r\nend\r",
    b"\r\r\n.\n\r\n.",
    b"\n\n.\n",
    b"a\r\n.\nb\n.\r\n",
]
messages = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"x", b"yy: z"]), max_size=20).map(b"".join)


def encoded(message):
    """The same in plain words, line by line."""
    lines = message.replace(b"\r\n", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"".join([line + b"\r\n" for line in stuffed]) + b".\r\n"


def top(message, count):
    """The same in plain words, line by line."""
    kept, in_header = b"", True
    for line in message.splitlines(keepends=True) if b"\r" not in message else split_at_lf(message):
        if not in_header:
            if count == 0:
                break
            count -= 1
        kept += line
        if in_header and line in (b"\n", b"\r\n"):
            in_header = False
    return kept


def split_at_lf(message):
    parts = message.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


@pytest.mark.parametrize("message", EXAMPLES)
def test_body_at_every_split(message):
    expected = encoded(message)
    assert encode_body(message) == expected
    for cut in range(len(message) + 1):
        encoder = BodyEncoder()
        assert encoder.encode(message[:cut]) + encoder.encode(message[cut:]) + encoder.end() == expected


@given(messages, st.integers(1, 4))
def test_body_in_small_pieces(message, step):
    encoder = BodyEncoder()
    pieces = [encoder.encode(message[at : at + step]) for at in range(0, len(message), step)]
    assert b"".join(pieces) + encoder.end() == encoded(message)


@given(messages)
def test_body_can_be_read_back(message):
    """A client that unstuffs finds the same lines, and no earlier end mark."""
    lines = encode_body(message).split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    plain = [line.removeprefix(b".") for line in lines[:-2]]
    assert b"\n".join(plain) == message.replace(b"\r\n", b"\n").removesuffix(b"\n")


def test_a_clean_message_is_sent_as_it_is():
    message = b"a: b\r\n\r\n" + b"x" * 70 + b"\r\n"
    assert BodyEncoder().encode(message) is message


@pytest.mark.parametrize("lines", [0, 1, 2, 3, 2**31])
@pytest.mark.parametrize("message", EXAMPLES)
def test_top_at_every_split(message, lines):
    for cut in range(len(message) + 1):
        cutter = TopCut(lines)
        taken = b""
        for piece in (message[:cut], message[cut:]):
            if not cutter.is_done:
                taken += cutter.take(piece)
        assert taken == top(message, lines)


@given(messages, st.integers(0, 5), st.integers(1, 4))
def test_top_in_small_pieces(message, lines, step):
    cutter = TopCut(lines)
    taken = b""
    for at in range(0, len(message), step):
        if cutter.is_done:
            break
        taken += cutter.take(message[at : at + step])
    assert taken == top(message, lines)
