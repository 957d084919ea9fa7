"""The field Authentication-Results: ours, and those that claim to be ours."""

import pytest

from mailsys.message.authentication_results import claiming, id_of, rendered
from mailsys.message.headers import parse_headers

OURS = "mail.example.org"


def test_the_field():
    field = rendered(
        OURS,
        [
            ("spf=pass", [("smtp.mailfrom", "ann@example.com")]),
            (
                "dkim=fail",
                [("reason", "the body was changed"), ("header.d", "example.com"), ("header.s", "s1")],
            ),
        ],
        smtputf8=False,
    )
    assert field == (
        b"Authentication-Results: mail.example.org;\r\n"
        b"\tspf=pass smtp.mailfrom=ann@example.com;\r\n"
        b'\tdkim=fail reason="the body was changed" header.d=example.com\r\n'
        b"\theader.s=s1\r\n"
    )
    assert rendered(OURS, [], smtputf8=False) == b"Authentication-Results: mail.example.org;\r\n\tnone\r\n"


@pytest.mark.row(41)
@pytest.mark.parametrize(
    "said",
    [
        'a"b@example.com',
        "(x@example.com",
        "x;\r\n dkim=pass header.d=bank.example",
        "x\r\nSubject: forged",
        "x@y dmarc=pass",
        "\\",
        "é@example.com",
        "\x00\x1b\u202e",
        "x" * 10_000,
    ],
)
@pytest.mark.parametrize("smtputf8", [True, False])
def test_what_a_stranger_said_stays_one_value(said, smtputf8):
    field = rendered(OURS, [("spf=fail", [("smtp.mailfrom", said)])], smtputf8=smtputf8)
    assert field.count(b"\r\n") == field.count(b"\r\n\t") + 1
    assert field.count(b";") == 1 or b'"' in field
    assert len(field) < 1500
    value = field.split(b"smtp.mailfrom=")[1].removesuffix(b"\r\n")
    if value.startswith(b'"'):
        inner = value[1:-1].replace(b"\\\\", b"").replace(b'\\"', b"")
        assert b'"' not in inner
        assert b"\\" not in inner
    assert b"\r" not in value
    assert smtputf8 or field.isascii()


@pytest.mark.row(41)
@pytest.mark.parametrize(
    "value",
    [
        b" mail.example.org; spf=pass",
        b" mail.example.org 1; spf=pass",
        b"MAIL.Example.Org;none",
        b" mail.example.org.; spf=pass",
        b"\r\n\tmail.example.org; spf=pass",
        b" (a (nested) comment) mail.example.org; spf=pass",
        b" (a \\) comment)\r\n (another)\r\n mail.example.org; x",
        b' "mail.example.org"; spf=pass',
        b' "mail\\.example.org"; spf=pass',
        b' "mail.example.org" 1; spf=pass',
        b" mail.example.org(comment); spf=pass",
        b" mail.example.org",
        # Nobody can say for sure whose these are.
        b" (a comment without end mail.example.org; spf=pass",
        b' "mail.example.org; spf=pass',
        b" ; spf=pass",
        b" \xff\xfe; spf=pass",
        b"",
    ],
)
def test_a_forged_field_is_found(value):
    block = b"From: a@b\r\nAuthentication-Results:" + value + b"\r\nTo: c@d\r\n\r\n"
    ((start, end),) = claiming(parse_headers(block), OURS)
    assert block[:start] + block[end:] == b"From: a@b\r\nTo: c@d\r\n\r\n"


@pytest.mark.row(41)
@pytest.mark.parametrize(
    "name", [b"authentication-results", b"AUTHENTICATION-RESULTS", b"Authentication-Results "]
)
def test_however_its_name_is_written(name):
    assert len(claiming(parse_headers(name + b": mail.example.org; none\r\n\r\n"), OURS)) == 1


def test_the_fields_of_others_stay():
    block = (
        b"Authentication-Results: mx.example.net; spf=pass\r\n"
        b"Authentication-Results: x-mail.example.org; spf=pass\r\n"
        b"Authentication-Results: mail.example.org.example.net; spf=pass\r\n"
        b"ARC-Authentication-Results: i=1; mail.example.org; spf=pass\r\n\r\n"
    )
    assert claiming(parse_headers(block), OURS) == []


def test_the_id():
    assert id_of(b" mx.example.net 1; spf=pass") == "mx.example.net"
    assert id_of(b" b\xc3\xbccher.example; none") == "bücher.example"
    assert id_of(b"(" * 100_000) is None
    assert id_of(b"()" * 50_000 + b"x") is None
    assert id_of(b"(" + b"x" * 2000 + b") mx.example.net") is None


def test_a_header_full_of_them():
    block = b"Authentication-Results: mx.example.net; none\r\n" * 5000
    assert len(claiming(parse_headers(block), OURS)) == 4900
