import pytest

from mailsys.config.retry import RetrySchedule, parse_retry
from mailsys.config.values import Wrong


def test_waits_that_go_on_until_an_age():
    schedule = parse_retry("15m 1h then 8h until 5d")
    assert schedule == RetrySchedule((900, 3600), then=28800, until=432000)


def test_a_plain_list_gives_up_after_its_last():
    assert parse_retry("2s 2s 2s") == RetrySchedule((2, 2, 2))


@pytest.mark.parametrize(
    "text", ["15m 30m 1h 2h 4h 8h then 8h until 5d", "2s 2s 2s", "0.5s then 1s until 1m"]
)
def test_it_is_written_as_it_is_read(text):
    assert str(parse_retry(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "15m then",
        "15m then 8h",
        "15m then 8h until",
        "15m then 8h until soon",
        "then 8h until 5d",
        "0s",
        "15m then 0s until 5d",
        "15m until 5d",
        "15m then 8h until 5d then 1h until 2d",
    ],
)
def test_what_is_no_schedule(text):
    with pytest.raises(Wrong):
        parse_retry(text)
