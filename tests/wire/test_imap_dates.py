from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.imap.dates import parse_date, parse_date_time, render_date_time


def test_days():
    assert parse_date("1-feb-1994") == date(1994, 2, 1)
    assert parse_date("29-Feb-2024") == date(2024, 2, 29)
    for text in (
        "",
        "30-Feb-1994",
        "1-Foo-1994",
        "1-Feb-94",
        "1-Feb-0000",
        "\u0661-Feb-1994",
        '"1-Feb-1994"',
    ):
        with pytest.raises(ValueError, match=r"."):
            parse_date(text)


def test_moments():
    assert parse_date_time(" 7-Feb-1994 21:52:25 -0800") == 760686745
    assert parse_date_time("17-Jul-1996 02:44:25 +0000") == 837571465
    assert parse_date_time("31-Dec-2016 23:59:60 +0000") == parse_date_time("31-Dec-2016 23:59:59 +0000")
    for text in ("7-Feb-1994 21:52:25 -0800", " 7-Feb-1994 24:00:00 +0000", " 7-Feb-1994 21:52:25 +9900",
                 " 7-Feb-1994 21:52:25", " 7-Feb-1994 21:52:61 +0000",
                 "32-Feb-1994 21:52:25 +0000"):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            parse_date_time(text)


def test_early_and_late():
    assert parse_date_time("01-Jan-0001 00:00:00 +2300") < 0
    assert render_date_time(-(10**15)) == b'" 1-Jan-0001 00:00:00 +0000"'
    assert render_date_time(10**15) == b'"31-Dec-9999 23:59:59 +0000"'


@given(st.integers(-62135596800, 253402300799))
def test_what_is_written_can_be_read(seconds):
    assert parse_date_time(render_date_time(seconds).decode().strip('"')) == seconds
