"""Times as people type them."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.control.moment import NoTime, moment

ZONE = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 25, 9, 0, 0, tzinfo=ZONE)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("now", "2026-11-25 09:00", "2026-11-25 09:00"),
        ("2h", "2026-11-25 07:00", "2026-11-25 07:00"),
        ("30 min ago", "2026-11-25 08:30", "2026-11-25 08:30"),
        ("3d", "2026-11-22 09:00", "2026-11-22 09:00"),
        ("1w", "2026-11-18 09:00", "2026-11-18 09:00"),
        ("today", "2026-11-25 00:00", "2026-11-26 00:00"),
        ("Yesterday", "2026-11-24 00:00", "2026-11-25 00:00"),
        ("wednesday", "2026-11-25 00:00", "2026-11-26 00:00"),
        ("monday", "2026-11-23 00:00", "2026-11-24 00:00"),
        ("thursday", "2026-11-19 00:00", "2026-11-20 00:00"),
        ("2026-11-03", "2026-11-03 00:00", "2026-11-04 00:00"),
        ("2026-11-03 23:59", "2026-11-03 23:59", "2026-11-03 23:59"),
        ("2026-11-03T08:05:00", "2026-11-03 08:05", "2026-11-03 08:05"),
        ("yesterday  17:30", "2026-11-24 17:30", "2026-11-24 17:30"),
        ("08:15", "2026-11-25 08:15", "2026-11-25 08:15"),
        ("09:30", "2026-11-24 09:30", "2026-11-24 09:30"),
    ],
)
def test_what_is_meant(text, begin, end):
    for expected, is_end in ((begin, False), (end, True)):
        meant = datetime.fromisoformat(expected).replace(tzinfo=ZONE).timestamp()
        assert moment(text, NOW, is_end=is_end) == meant


def test_the_zone_is_that_of_the_machine():
    local = datetime(2026, 7, 1, 12, 0)
    assert moment("2026-01-01", local) == datetime(2026, 1, 1).timestamp()


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "2026-13-01", "9", "2026-11-03 xx", "yesterday x", "0000-01-01"]
)
def test_what_is_no_time_says_what_would_be(text):
    with pytest.raises(NoTime, match='write "yesterday"'):
        moment(text, NOW)


@given(
    st.text(max_size=30)
    | st.from_regex(r"\d{1,7} ?[smhdw]|\d{4}-\d{1,2}-\d{1,2}( \d\d:\d\d)?", fullmatch=True)
)
def test_anything_else_is_told_apart(text):
    try:
        assert isinstance(moment(text, NOW, is_end=True), float)
    except NoTime:
        pass
