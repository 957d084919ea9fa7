import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.config.values import Wrong, format_size, format_time, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "octets"),
    [("50M", 52428800), ("1k", 1024), ("2G", 2147483648), ("0", 0), (77, 77), ("77", 77)],
)
def test_sizes(text, octets):
    assert parse_size(text) == octets


@pytest.mark.parametrize("text", ["", "M", "50 M", "50MB", "-1", "1.5M", "50m", True, None, [], -1, "9" * 16])
def test_what_is_no_size(text):
    with pytest.raises(Wrong):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("0.3s", 0.3), ("2h", 7200), ("5d", 432000), (3, 3), (0.5, 0.5), ("0", 0)],
)
def test_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5min", "-5m", "5 m", float("inf"), float("nan"), True, {}, "1e3"])
def test_what_is_no_time(text):
    with pytest.raises(Wrong):
        parse_time(text)


@given(st.integers(0, 10**14))
def test_a_size_is_written_as_it_is_read(octets):
    assert parse_size(format_size(octets)) == octets


@given(st.integers(0, 10**8) | st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000))
def test_a_time_is_written_as_it_is_read(seconds):
    assert parse_time(format_time(seconds)) == pytest.approx(seconds)


def test_the_shortest_writing_is_chosen():
    assert [format_size(n) for n in (0, 1023, 1024, 52428800)] == ["0", "1023", "1k", "50M"]
    assert [format_time(n) for n in (0, 0.3, 90, 300, 86400)] == ["0s", "0.3s", "90s", "5m", "1d"]
