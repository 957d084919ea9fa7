"""PROXY headers: what is believed, what is refused, and that no way of cutting them matters."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.proxy import LONGEST_OCTETS, SIGNATURE, MalformedHeader, ProxyHeader, read_proxy_header

IPV4 = bytes([192, 0, 2, 7, 198, 51, 100, 1]) + struct.pack("!HH", 40000, 25)
IPV6 = bytes.fromhex("20010db8000000000000000000000007" * 2) + struct.pack("!HH", 40000, 25)


def block(command, family, body):
    return SIGNATURE + bytes([command, family]) + len(body).to_bytes(2, "big") + body


GOOD = {
    "v1 IPv4": (b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n", ("192.0.2.7", 40000)),
    "v1 IPv6": (b"PROXY TCP6 2001:DB8::7 2001:db8::1 40000 25\r\n", ("2001:db8::7", 40000)),
    "v1 longest": (b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n",
                   ("ffff:" * 7 + "ffff", 65535)),
    "v1 IPv4 as IPv6": (b"PROXY TCP6 ::ffff:127.0.0.1 ::1 40000 25\r\n", ("127.0.0.1", 40000)),
    "v2 IPv4 as IPv6": (block(0x21, 0x21, bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7]) + IPV6[16:]),
                        ("192.0.2.7", 40000)),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", None),
    "v1 unknown with more": (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    "v2 IPv4": (block(0x21, 0x11, IPV4), ("192.0.2.7", 40000)),
    "v2 IPv4 with additions": (block(0x21, 0x11, IPV4 + b"\x04\0\x01x" + b"\x20\0\0"), ("192.0.2.7", 40000)),
    "v2 IPv6": (block(0x21, 0x21, IPV6), ("2001:db8::7", 40000)),
    "v2 unix": (block(0x21, 0x31, bytes(216)), None),
    "v2 unspecified": (block(0x21, 0, b""), None),
    "v2 local": (block(0x20, 0, b""), None),
    "v2 local with an address": (block(0x20, 0x11, IPV4), None),
}  # fmt: skip
BAD = {
    "SMTP": b"EHLO x.example\r\n",
    "HTTP": b"GET / HTTP/1.1\r\n",
    "TLS": b"\x16\x03\x01\x02\0",
    "small letters": b"proxy TCP4 192.0.2.7 198.51.100.1 40000 25\r\n",
    "two spaces": b"PROXY TCP4  192.0.2.7 198.51.100.1 40000 25\r\n",
    "a space behind": b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25 \r\n",
    "a zero in front": b"PROXY TCP4 192.0.2.7 198.51.100.1 040000 25\r\n",
    "a large port": b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
    "a missing port": b"PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
    "IPv6 as TCP4": b"PROXY TCP4 2001:db8::7 2001:db8::1 40000 25\r\n",
    "IPv4 as TCP6": b"PROXY TCP6 192.0.2.7 198.51.100.1 40000 25\r\n",
    "octal": b"PROXY TCP4 192.0.2.07 198.51.100.1 40000 25\r\n",
    "a name": b"PROXY TCP4 mail.example 198.51.100.1 40000 25\r\n",
    "a bare line feed": b"PROXY UNKNOWN a\nb\r\n",
    "UDP": b"PROXY UDP4 192.0.2.7 198.51.100.1 40000 25\r\n",
    "no end": b"PROXY TCP4 " + b"1" * 200,
    "v2 version 1": SIGNATURE + b"\x11\x11\0\x0c" + IPV4,
    "v2 command 2": SIGNATURE + b"\x22\x11\0\x0c" + IPV4,
    "v2 datagrams": block(0x21, 0x12, IPV4),
    "v2 unknown family": block(0x21, 0x41, IPV4),
    "v2 too short": block(0x21, 0x11, IPV4[:-1]),
    "v2 IPv4 as IPv6": block(0x21, 0x21, IPV4),
    "v2 too long": SIGNATURE + b"\x21\x11\xff\xff",
    "v2 local too long": SIGNATURE + b"\x20\0\xff\xff",
    "v2 a cut addition": block(0x21, 0x11, IPV4 + b"\x04\0\x09x"),
    "v2 half of an addition": block(0x21, 0x11, IPV4 + b"\x04"),
    "v2 broken signature": b"\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c" + IPV4,
}  # fmt: skip


@pytest.mark.row(61)
@pytest.mark.parametrize("name", GOOD)
def test_a_header_however_it_is_cut(name):
    """Row 61: what follows it is the client's, and less of it is waited for."""
    header, source = GOOD[name]
    for cut in range(len(header)):
        assert read_proxy_header(header[:cut]) is None
    for rest in (b"", b"\x16\x03\x01", b"EHLO x\r\n"):
        assert read_proxy_header(header + rest) == (ProxyHeader(source), rest)


@pytest.mark.row(61)
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_header(name):
    """Row 61: it is known at some octet, and from then on."""
    data, refused_at = BAD[name], None
    for cut in range(1, len(data) + 1):
        try:
            assert read_proxy_header(data[:cut]) is None
            assert refused_at is None
        except MalformedHeader:
            refused_at = refused_at or cut
    assert refused_at is not None
    with pytest.raises(MalformedHeader):
        read_proxy_header(data + b"more")


@pytest.mark.row(61)
@given(st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=100).map(lambda end: b"PROXY TCP4 " + end),
    st.binary(max_size=300).map(lambda end: SIGNATURE + end),
    st.tuples(st.sampled_from(sorted(GOOD)), st.integers(0, 60), st.integers(0, 255)).map(
        lambda change: (lambda data, at, octet: data[:at] + bytes([octet]) + data[at + 1 :])(
            GOOD[change[0]][0], change[1], change[2]
        )
    ),
))  # fmt: skip
def test_any_octets_are_a_header_or_none(data):
    """Row 61: one exception only, and the same outcome at each split."""

    def outcome(octets):
        try:
            return read_proxy_header(octets)
        except MalformedHeader:
            return MalformedHeader

    whole = outcome(data)
    for cut in range(1, len(data)):
        part = outcome(data[:cut])
        if part is MalformedHeader:
            assert whole is MalformedHeader
        elif part is not None:
            assert whole == (part[0], part[1] + data[cut:])


def test_it_never_waits_for_more_than_it_says():
    for front in (b"PROXY UNKNOWN ", SIGNATURE + b"\x21\x11\x08\x00", SIGNATURE + b"\x20\x11\x08\x00"):
        try:
            assert read_proxy_header(front + bytes(LONGEST_OCTETS)) is not None
        except MalformedHeader:
            pass
