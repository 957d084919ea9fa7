import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imap_house import House, now_of
from test_imap_session import Client

from mailsys.read.imap import dialogue
from mailsys.read.imap.patterns import Pattern


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "a/b", True),
        ("%", "a/b", False),
        ("%/%", "a/b", True),
        ("a/%", "a/b/c", False),
        ("a*c", "a/b/c", True),
        ("", "", True),
        ("inbox", "INBOX", True),
        ("Inbox/*", "INBOX/Old", True),
        ("INBOX%", "INBOX/Old", False),
        ("w*", "Work", False),
        ("a.c", "abc", False),
    ],
)
def test_patterns(pattern, name, matches):
    assert Pattern([pattern]).matches(name) is matches


def test_any_of_several():
    assert Pattern(["a", "b"]).matches("b")
    assert not Pattern(["a", "b"]).matches("c")


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=10))
def test_like_a_regular_expression(pattern, name):
    expression = "".join({"*": ".*", "%": "[^/]*"}.get(one, re.escape(one)) for one in pattern)
    assert Pattern([pattern]).matches(name) is bool(re.fullmatch(expression, name))


@pytest.mark.row(47)
def test_wildcards_without_end():
    """Row 47: no more work than letters."""
    assert not Pattern(["*a" * 20_000 + "b"] * 10).matches("a" * 240)


@pytest.mark.row(47)
@pytest.mark.parametrize("command", ['LIST "" none*', 'LSUB "" none*'])
def test_names_that_do_not_match_take_their_time_as_well(command, monkeypatch):
    turns = []
    give_way = dialogue.Dialogue.give_way

    async def count(self):
        turns.append(self)
        await give_way(self)

    monkeypatch.setattr(dialogue.Dialogue, "give_way", count)
    house = House()
    for number in range(399):
        now_of(house.folders.create(f"Folder {number}"))
        now_of(house.folders.subscribe(f"Folder {number}"))
    client = Client(house)
    assert client.say(f"b {command}") == ["b OK Done"]
    assert 1 <= len(turns) <= 2
    monkeypatch.setattr(dialogue, "TURN_SECONDS", 0.0)
    client.say(f"c {command}")
    assert len(turns) >= 399
