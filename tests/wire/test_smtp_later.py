"""HOLDFOR and HOLDUNTIL: read, and refused in plain words (RFC 4865)."""

from datetime import UTC, datetime

import pytest

from mailsys.wire.smtp.commands import parse_mail
from mailsys.wire.smtp.extensions import Offer, hello_reply
from mailsys.wire.smtp.grammar import Malformed

EIGHT = datetime(2027, 1, 31, 8, tzinfo=UTC).timestamp()


def mail(parameters):
    return parse_mail(f"FROM:<ann@example.org> {parameters}".encode())


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("1", 1), ("999999999", 999_999_999), ("007", 7)])
def test_an_interval(value, seconds):
    assert mail(f"HOLDFOR={value}").hold_for == seconds
    assert mail(f"HOLDFOR={value}").later == "HOLDFOR"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2027-01-31T08:00:00Z", EIGHT),
        ("2027-01-31t08:00:00z", EIGHT),
        ("2027-01-31T09:00:00+01:00", EIGHT),
        ("2027-01-30T23:30:00.25-08:30", EIGHT),
        ("2027-01-31T08:00:00-00:00", EIGHT),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()),
        ("0001-01-01T00:00:00+23:59", datetime(1, 1, 1, tzinfo=UTC).timestamp() - 86_340),
        ("9999-12-31T23:59:59-23:59", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp() + 86_340),
    ],
)
@pytest.mark.row(54)
def test_a_moment(value, moment):
    """Row 54: odd zones, a leap second, and years at both ends."""
    assert mail(f"HOLDUNTIL={value}").hold_until == moment
    assert mail(f"HOLDUNTIL={value}").later == "HOLDUNTIL"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("HOLDFOR", "a number of seconds"),
        ("HOLDFOR=-1", "a number of seconds"),
        ("HOLDFOR=1h", "a number of seconds"),
        ("HOLDFOR=1000000000", "up to nine digits"),
        ("HOLDFOR=٣", "a number of seconds"),
        ("HOLDUNTIL", "a moment such as"),
        ("HOLDUNTIL=tomorrow", "a moment such as"),
        ("HOLDUNTIL=2027-01-31", "a moment such as"),
        ("HOLDUNTIL=2027-01-31T08:00:00", "a moment such as"),
        ("HOLDUNTIL=2027-01-31T08:00Z", "a moment such as"),
        ("HOLDUNTIL=" + "9" * 500, "a moment such as"),
        ("HOLDUNTIL=2027-02-31T08:00:00Z", "that exists"),
        ("HOLDUNTIL=2027-01-31T25:00:00Z", "that exists"),
        ("HOLDUNTIL=2027-01-31T08:00:61Z", "that exists"),
        ("HOLDUNTIL=0000-01-31T08:00:00Z", "that exists"),
        ("HOLDUNTIL=2027-01-31T08:00:00+99:99", "that exists"),
        ("HOLDFOR=1 HOLDUNTIL=2027-01-31T08:00:00Z", "not both"),
    ],
)
def test_what_is_wrong_is_said(parameters, words):
    with pytest.raises(Malformed) as malformed:
        mail(parameters)
    assert (malformed.value.reply.code, malformed.value.reply.enhanced) == (501, "5.5.4")
    assert words in malformed.value.reply.text


def test_what_is_announced():
    offer = Offer("mx", 1, 1, later="86400 2027-01-31T08:00:00Z")
    assert b"250-FUTURERELEASE 86400 2027-01-31T08:00:00Z\r\n" in hello_reply("EHLO", offer).render()
    assert b"FUTURERELEASE" not in hello_reply("EHLO", Offer("mx", 1, 1)).render()
