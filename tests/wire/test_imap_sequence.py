from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.imap.sequence import SAVED, BadSet, by_number, by_uid, parse_sequence_set, render_set

UIDS = array("I", [3, 4, 7, 10, 11])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"1", [3]),
        (b"2:4", [4, 7, 10]),
        (b"4:2", [4, 7, 10]),
        (b"*", [11]),
        (b"*:4", [10, 11]),
        (b"5,1,5,1:2", [3, 4, 11]),
    ],
)
def test_by_number(text, found):
    assert by_number(parse_sequence_set(text), UIDS) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"3", [3]),
        (b"1:2", []),
        (b"5:8", [7]),
        (b"12:*", [11]),  # RFC 9051 9: the last one is always in n:*
        (b"4:4294967295", [4, 7, 10, 11]),
        (b"11,3", [3, 11]),
    ],
)
def test_by_uid(text, found):
    assert by_uid(parse_sequence_set(text), UIDS) == found


def test_numbers_that_no_message_has():
    for text in (b"6", b"1:6", b"4294967295"):
        with pytest.raises(BadSet):
            by_number(parse_sequence_set(text), UIDS)
    with pytest.raises(BadSet):
        by_number(parse_sequence_set(b"*"), array("I"))
    assert by_uid(parse_sequence_set(b"1:*"), array("I")) == []


@pytest.mark.parametrize(
    "text", [b"", b"0", b"1:", b":1", b"1,", b",", b"1:2:3", b"a", b"-1", b"4294967296", b"9" * 5000, b"$,1"]
)
def test_no_sets(text):
    with pytest.raises(BadSet):
        parse_sequence_set(text)


def test_saved():
    assert parse_sequence_set(b"$") == SAVED


@pytest.mark.row(47)
def test_a_set_that_repeats_itself_costs_no_more():
    """Row 47: ``1:*`` over and over is every message once."""
    many = array("I", range(1, 10_001))
    wanted = parse_sequence_set(b"1:*," * 10_000 + b"1:*")
    assert by_number(wanted, many) == list(many)
    assert by_uid(wanted, many) == list(many)


@given(st.sets(st.integers(1, 60)))
def test_sets_come_back(numbers):
    rendered = render_set(sorted(numbers))
    if not numbers:
        assert rendered == b""
        return
    assert by_uid(parse_sequence_set(rendered), array("I", sorted(numbers))) == sorted(numbers)
    assert rendered.count(b",") <= len(numbers)


def test_the_order_is_kept():
    assert render_set([5, 6, 1, 2, 3, 9]) == b"5:6,1:3,9"
