"""Searches that may ask for anything: read or refused, and what they find follows from what they say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imap_house import House, now_of
from twisted.internet.defer import succeed

from mailsys.read.imap.search.finder import Finder
from mailsys.read.imap.search.threading import Row, _make
from mailsys.read.imap.view import View
from mailsys.testing.folders_asked import Told
from mailsys.threads import NoThreads
from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.search import Algorithm, parse_search, parse_sort, parse_thread
from mailsys.wire.imap.search_keys import Both, Either, Everything, Not

pytestmark = pytest.mark.row(47)

words = st.sampled_from(
    b'ALL NOT OR ( ) SEEN NEW KEYWORD $x UID 1:* 2,3 $ BEFORE SENTON 1-Feb-1994 HEADER Subject FROM "a" TEXT'
    b" BODY one LARGER SMALLER 50 YOUNGER 9999999999 MODSEQ 1 RETURN (ALL) (SAVE) (PARTIAL 1:2) CHARSET UTF-8"
    b' DATE REVERSE SUBJECT REFERENCES {3} "\\ \xff \xc3\xa4'.split()
)
arguments = st.lists(words | st.binary(max_size=3), max_size=12).map(b" ".join)


@given(st.sampled_from([parse_search, parse_sort, parse_thread]), arguments, st.booleans())
def test_anything_is_read_or_refused(parse, text, utf8):
    response = None
    try:
        parse(Reader([b" " + text], utf8=utf8), by_uid=False)
    except BadCommand as refused:
        response = refused.response
    assert response is None or response.kind in ("BAD", "NO")
    assert response is None or response.tagged("a").count(b"\r\n") == 1


plain_keys = st.sampled_from(
    [
        "SEEN", "UNSEEN", "RECENT", "FLAGGED", "1", "2:*", "UID 1,3", "SUBJECT t", "FROM ann", "TEXT one",
        "BODY e", "HEADER MIME-Version 1", "SMALLER 60", "ON 9-Sep-2001", "SENTSINCE 1-Jan-1990",
        "KEYWORD x", "MODSEQ 5",
    ]
).map(lambda text: parse_search(Reader([b" " + text.encode()]), by_uid=False).key)  # fmt: skip
keys = st.recursive(
    plain_keys,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(Either, inner, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda found: Both(tuple(found)))
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def find():
    house = House()
    house.put(b"From: ann@b\r\nSubject: one t\r\n\r\ne", flags=["\\Seen", "x"])
    folder = now_of(house.folders.open("INBOX", Told(), read_only=False))
    finder = Finder(folder, View(folder.uids), NoThreads(), lambda: succeed(None), 2_000_000_000.0)
    return lambda key: now_of(finder.find(key, finder.all()))


@settings(max_examples=60)
@given(keys, keys)
def test_not_and_or_are_what_they_say(find, one, other):
    everything = find(Everything())
    found, more = set(find(one)), set(find(other))
    assert find(one) == sorted(found)
    assert set(find(Not(one))) == set(everything) - found
    assert set(find(Either(one, other))) == found | more
    assert set(find(Both((one, other)))) == found & more == set(find(Both((other, one))))


ids = st.sampled_from(["", "a", "b", "c", "d", "e"])
rows = st.lists(
    st.tuples(
        st.just(0),
        st.floats(0, 9),
        st.sampled_from(["RE: S", "S", "", "RE: T"]),
        st.just(""),
        ids,
        st.lists(ids, max_size=4).map(" ".join),
    ),
    max_size=9,
)


@pytest.mark.row(48)
@settings(max_examples=200)
@given(rows, st.sampled_from(Algorithm))
def test_every_message_is_in_one_thread(rows, algorithm):
    made: list[Row] = [
        (uid, date, subject, subject.removeprefix("RE: "), id_, references)
        for uid, (_, date, subject, _base, id_, references) in enumerate(rows, start=1)
    ]
    seen, waiting = [], list(_make(algorithm, made))
    while waiting:
        message = waiting.pop()
        seen.append(message.uid)
        assert message.uid is not None or len(message.children) > 1 or message.parent is None
        waiting += message.children.values()
    assert sorted(uid for uid in seen if uid is not None) == [row[0] for row in made]
