"""The same signature for ever more recipients is believed no longer, and the count is bounded."""

import pytest

from mailsys.judge.replays import MOST_COPIES, MOST_SIGNATURES, WINDOW_SECONDS, Replays


class Table:
    def __init__(self):
        self.now = 1_800_000_000.0
        self.replays = Replays(lambda: self.now)

    def note(self, signature="AAAA", copies=1):
        return self.replays.note(signature, copies)


@pytest.mark.row(40)
def test_ten_thousand_recipients():
    table = Table()
    said = [table.note() for _ in range(10_000)]
    assert said == [False] * MOST_COPIES + [True] * (10_000 - MOST_COPIES)
    assert not table.note("BBBB")


@pytest.mark.row(40)
def test_recipients_of_one_message_count_each():
    table = Table()
    assert not table.note(copies=MOST_COPIES)
    assert table.note(copies=1)


def test_a_day_later_it_begins_anew():
    table = Table()
    assert table.note(copies=MOST_COPIES + 1)
    table.now += WINDOW_SECONDS
    assert not table.note()
    table.now -= 10 * WINDOW_SECONDS  # the clock was set
    assert not table.note()


def test_of_too_many_signatures_the_oldest_are_forgotten():
    table = Table()
    table.note("first", MOST_COPIES)
    for number in range(MOST_SIGNATURES - 1):
        table.note(str(number))
    assert table.note("first")  # still known, and the newest now
    table.note("0", MOST_COPIES - 1)
    for number in range(MOST_SIGNATURES, 2 * MOST_SIGNATURES):
        table.note(str(number))
    assert not table.note("first")
