"""What a TLS client says first, octet by octet, as no library of today would say it."""

import os
import struct

SSL3, TLS1_0, TLS1_1, TLS1_2 = 0x0300, 0x0301, 0x0302, 0x0303
HANDSHAKE, ALERT = 22, 21
PROTOCOL_VERSION = 70  # RFC 8446 6.2
NULL, DEFLATE = 0, 1
SERVER_HELLO = 2

# ECDHE-ECDSA and -RSA with AES-128-GCM and AES-128-CBC, RSA with AES-128-CBC, RSA with 3DES
SUITES = (0xC02B, 0xC02F, 0xC009, 0xC013, 0x002F, 0x000A)


def client_hello(version, *, compressions=(NULL,)):
    """A record with a ClientHello (RFC 5246 7.4.1.2) up to TLS 1.2."""
    suites = struct.pack(f"!{len(SUITES)}H", *SUITES)
    extensions = b"" if version == SSL3 else _extensions()
    body = (
        struct.pack("!H", version) + os.urandom(32) + b"\0"
        + struct.pack("!H", len(suites)) + suites
        + bytes([len(compressions), *compressions])
        + extensions
    )  # fmt: skip
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHH", HANDSHAKE, min(version, TLS1_0), len(message)) + message


def ssl2_hello():
    """As SSL 2.0 has it: no record around it."""
    suites = b"\x01\x00\x80\x07\x00\xc0"
    body = struct.pack("!BHHHH", 1, 2, len(suites), 0, 16) + suites + os.urandom(16)
    return struct.pack("!H", 0x8000 | len(body)) + body


def _extensions():
    groups = struct.pack("!HHHHHH", 10, 6, 4, 0x001D, 0x0017, 11) + b"\x00\x02\x01\x00"
    algorithms = struct.pack("!HHHHH", 13, 6, 4, 0x0403, 0x0401)
    return struct.pack("!H", len(groups + algorithms)) + groups + algorithms


def records(octets):
    """What a server said, as (type, content) of each whole record."""
    found = []
    while len(octets) >= 5:
        kind, _version, length = struct.unpack("!BHH", octets[:5])
        found.append((kind, octets[5 : 5 + length]))
        octets = octets[5 + length :]
    return found


def chosen_compression(server_hello):
    """From the content of the record that holds it."""
    assert server_hello[0] == SERVER_HELLO
    session_octets = server_hello[4 + 2 + 32]
    return server_hello[4 + 2 + 32 + 1 + session_octets + 2]
