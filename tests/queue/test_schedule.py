"""When a recipient is tried again, and when we give up."""

import pytest

from mailsys.config.retry import parse_retry
from mailsys.queue.schedule import back_off, has_expired, lifetime, longest_wait, next_attempt

HOUR, DAY = 3600.0, 86_400.0
USUAL = parse_retry("15m 30m 1h 2h 4h 8h then 8h until 5d")
PLAIN = parse_retry("2s 3s")


def after(schedule, attempts, age=0.0, chance=0.5):
    return next_attempt(schedule, attempts, 1000.0, 1000.0 + age, chance)


def test_the_waits_follow_each_other():
    assert after(USUAL, 1) == 1000 + 900
    assert after(USUAL, 2, 900) == 1000 + 900 + 1800
    assert after(USUAL, 6, DAY) == 1000 + DAY + 8 * HOUR
    assert after(USUAL, 9, 2 * DAY) == 1000 + 2 * DAY + 8 * HOUR


def test_a_wait_is_a_little_more_or_less():
    assert after(USUAL, 1, chance=0.0) == pytest.approx(1000 + 900 * 0.9)
    assert after(USUAL, 1, chance=1.0) == pytest.approx(1000 + 900 * 1.1)


def test_the_last_attempt_is_at_the_end():
    assert after(USUAL, 17, 5 * DAY - HOUR) == 1000 + 5 * DAY
    assert after(USUAL, 18, 5 * DAY) is None


def test_a_plain_list_ends_after_its_last():
    assert after(PLAIN, 1) == 1002
    assert after(PLAIN, 2, 3) == 1006
    assert after(PLAIN, 3, 6) is None
    assert lifetime(PLAIN) == 5


@pytest.mark.row(54)
def test_age_alone_ends_nothing():
    """Row 54: a clock that was wrong for years, and is set right, must not make mail come back at once."""
    assert has_expired(USUAL, 0.0, 56 * 365 * DAY)
    assert next_attempt(USUAL, 1, 0.0, 56 * 365 * DAY, 0.5) == 56 * 365 * DAY + 900
    assert next_attempt(USUAL, 3, 0.0, 56 * 365 * DAY, 0.5) is None


@pytest.mark.row(54)
def test_a_message_from_the_future_is_young():
    assert next_attempt(USUAL, 1, 1000.0 + DAY, 1000.0, 0.5) == 1900
    assert not has_expired(USUAL, 1000.0 + DAY, 1000.0)


def test_a_destination_backs_off_no_longer_than_a_message_waits_first():
    assert [back_off(USUAL, failures) for failures in (1, 2, 3, 4, 5, 50)] == [60, 120, 240, 480, 900, 900]
    assert back_off(PLAIN, 1) == 2


def test_nobody_waits_longer_than_the_longest_wait():
    assert longest_wait(USUAL) == pytest.approx(8 * HOUR * 1.1)
    assert longest_wait(PLAIN) == pytest.approx(3.3)
