"""The lines that we put in front of a message."""

import re
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.address import parse_address
from mailsys.message.headers import parse_headers
from mailsys.message.trace_fields import (
    Trace,
    date_time,
    delivered_to_field,
    original_to_field,
    received_field,
    return_path_field,
)

JANE = parse_address("jane@example.org")
JUERGEN = parse_address("jürgen@example.org")
TRACE = Trace(
    id="k3Jd9",
    hostname="mx.example.org",
    greeting="client.example.net",
    peer_host="192.0.2.1",
    protocol="ESMTPS",
    tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
)
NOW = 1795447560.9  # Mon, 23 Nov 2026 15:26:00 UTC


def test_received():
    assert received_field(TRACE, JANE, NOW) == (
        b"Received: from client.example.net ([192.0.2.1])\r\n"
        b"\tby mx.example.org (mailsys) with ESMTPS\r\n"
        b"\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
        b"\tid k3Jd9\r\n"
        b"\tfor <jane@example.org>;\r\n"
        b"\tMon, 23 Nov 2026 15:26:00 +0000\r\n"
    )


def test_received_with_little_known():
    trace = replace(TRACE, protocol="SMTP", tls="")
    assert received_field(trace, None, NOW) == (
        b"Received: from client.example.net ([192.0.2.1])\r\n"
        b"\tby mx.example.org (mailsys) with SMTP\r\n"
        b"\tid k3Jd9;\r\n"
        b"\tMon, 23 Nov 2026 15:26:00 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("greeting", "host", "expected"),
    [
        ("[192.0.2.1]", "192.0.2.1", b"from [192.0.2.1] ([192.0.2.1])\r\n"),
        ("a.b", "2001:db8::1", b"from a.b ([IPv6:2001:db8::1])\r\n"),
        ("a.b", "fe80::1%eth0", b"from a.b ([IPv6:fe80::1])\r\n"),
        ("a.b.", "", b"from a.b. (local)\r\n"),
        ("", "", b"from localhost (local)\r\n"),
        ("", "192.0.2.1", b"from [192.0.2.1] ([192.0.2.1])\r\n"),
        ("two words", "192.0.2.1", b"from [192.0.2.1] (said two words, [192.0.2.1])\r\n"),
        ("a)b(c\\", "192.0.2.1", b"from [192.0.2.1] (said a\\)b\\(c\\\\, [192.0.2.1])\r\n"),
        ("ä\0\r\nX: y", "192.0.2.1", b"from [192.0.2.1] (said ????X: y, [192.0.2.1])\r\n"),
        ("x" * 300, "192.0.2.1", b"from [192.0.2.1] (said " + b"x" * 255 + b", [192.0.2.1])\r\n"),
    ],
)
def test_what_the_peer_calls_itself(greeting, host, expected):
    trace = replace(TRACE, greeting=greeting, peer_host=host)
    assert received_field(trace, None, NOW).partition(b"\tby ")[0] == b"Received: " + expected


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [("ESMTP", b"UTF8SMTP"), ("ESMTPSA", b"UTF8SMTPSA"), ("LMTP", b"UTF8LMTP"), ("LMTPS", b"UTF8LMTPS")],
)
def test_addresses_beyond_ascii_only_with_smtputf8(protocol, expected):
    trace = replace(TRACE, protocol=protocol)
    assert received_field(trace, JUERGEN, NOW) == received_field(trace, None, NOW)
    field = received_field(replace(trace, smtputf8=True), JUERGEN, NOW)
    assert b" with " + expected + b"\r\n" in field
    assert "for <jürgen@example.org>;".encode() in field
    assert delivered_to_field(JUERGEN, smtputf8=False) == original_to_field(JUERGEN, smtputf8=False) == b""
    assert delivered_to_field(JUERGEN, smtputf8=True) == "Delivered-To: jürgen@example.org\r\n".encode()


def test_return_path_and_delivered_to():
    assert return_path_field(None) == b"Return-Path: <>\r\n"
    assert return_path_field(parse_address('"a b"@c')) == b'Return-Path: <"a b"@c>\r\n'
    assert delivered_to_field(JANE, smtputf8=False) == b"Delivered-To: jane@example.org\r\n"
    assert original_to_field(JANE, smtputf8=False) == b"X-Original-To: jane@example.org\r\n"


@pytest.mark.parametrize("now", [0, 951782400, 1709164800, NOW, 2147483648, 4102444799.999])
def test_date_time(now):
    text = date_time(now)
    assert parsedate_to_datetime(text).timestamp() == int(now)
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", text)


@pytest.mark.row(16)
@given(st.text(st.characters(), max_size=300), st.text(st.characters(), max_size=50))
def test_nothing_of_the_peer_stands_raw(greeting, tls):
    """Row 16: whatever the peer calls itself, Received is one field of printable ASCII."""
    field = received_field(replace(TRACE, greeting=greeting, tls=tls), JANE, NOW)
    headers = parse_headers(field)
    assert [found.name for found in headers.fields] == [b"Received"]
    assert headers.stray == []
    assert all(32 <= octet < 127 for octet in field.replace(b"\r\n\t", b"").removesuffix(b"\r\n"))
    assert max(map(len, field.split(b"\r\n"))) < 998


def test_where_a_user_was_is_not_told():
    field = received_field(replace(TRACE, hides_client=True), JANE, NOW)
    assert field.startswith(b"Received: by mx.example.org (mailsys) with ESMTPS\r\n")
    assert b"client" not in field
    assert b"192.0.2.1" not in field
