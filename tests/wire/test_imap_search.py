"""What can be searched for, and how it is told."""

import datetime

import pytest

from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.search import (
    Algorithm,
    CancelUpdate,
    Criterion,
    Return,
    Told,
    parse_cancel_update,
    parse_search,
    parse_sort,
    parse_thread,
)
from mailsys.wire.imap.search_keys import (
    MOST_KEYS,
    MOST_LEVELS,
    Aged,
    Among,
    Both,
    Changed,
    Dated,
    Day,
    Either,
    Everything,
    Flagged,
    InHeader,
    InText,
    Not,
    Relation,
    Sized,
    mentions,
)
from mailsys.wire.imap.search_responses import (
    Found,
    Node,
    esearch_line,
    search_line,
    thread_line,
    update_line,
)
from mailsys.wire.imap.sequence import SAVED, SequenceSet


def search(*segments, by_uid=False, utf8=False):
    return parse_search(Reader([b" " + segments[0], *segments[1:]], utf8=utf8), by_uid=by_uid)


def key(*segments):
    return search(*segments).key


def refusal(*segments):
    with pytest.raises(BadCommand) as caught:
        search(*segments)
    return caught.value.response


SEEN = Flagged("\\Seen")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"ALL", Everything()),
        (b"SAVEDATESUPPORTED", Everything()),
        (b"answered", Flagged("\\Answered")),
        (b"UNDRAFT", Not(Flagged("\\Draft"))),
        (b"NEW", Both((Flagged("\\Recent"), Not(SEEN)))),
        (b"OLD", Not(Flagged("\\Recent"))),
        (b"KEYWORD $Junk", Flagged("$Junk")),
        (b"UNKEYWORD Work", Not(Flagged("Work"))),
        (b"1,3:*", Among(SequenceSet(((1, 1), (3, None))), by_uid=False)),
        (b"$", Among(SAVED, by_uid=False)),
        (b"UID 5:7", Among(SequenceSet(((5, 7),)), by_uid=True)),
        (b"LARGER 10", Sized(True, 10)),
        (b"SMALLER 0", Sized(False, 0)),
        (b"YOUNGER 60", Aged(True, 60)),
        (b"OLDER 60", Aged(False, 60)),
        (b"MODSEQ 7", Changed(7)),
        (b'MODSEQ "/flags/\\\\draft" all 7', Changed(7)),
        (b'FROM "Ann"', InHeader(b"from", "ANN")),
        (b"SUBJECT a", InHeader(b"subject", "A")),
        (b'HEADER X-Foo ""', InHeader(b"x-foo", "")),
        (b'TEXT "a  b"', InText("A B", with_header=True)),
        (b"BODY x", InText("X", with_header=False)),
        (b"NOT SEEN", Not(SEEN)),
        (b"OR SEEN NOT SEEN", Either(SEEN, Not(SEEN))),
        (b"SEEN ALL ", Both((SEEN, Everything()))),
        (b"(SEEN (ALL))", Both((SEEN, Both((Everything(),))))),
    ],
)
def test_keys(text, expected):
    assert key(text) == expected


@pytest.mark.parametrize("prefix", ["", "SENT", "SAVED"])
@pytest.mark.parametrize("relation", Relation)
def test_dates(prefix, relation):
    day = datetime.date(1994, 2, 1).toordinal()
    which = {"": Day.INTERNAL, "SENT": Day.SENT, "SAVED": Day.SAVED}[prefix]
    for date in ("1-Feb-1994", '"01-feb-1994"'):
        assert key(f"{prefix}{relation.value} {date}".encode()) == Dated(which, relation, day)


def test_text_in_other_charsets():
    assert key(b"CHARSET UTF-8 SUBJECT {3}", b"\xc3\xa4b", b"") == InHeader(b"subject", "A\u0308B")
    assert key(b"CHARSET iso-8859-1 BODY {1}", b"\xe4", b"") == InText("A\u0308", with_header=False)
    assert key(b"TEXT {2}", b"\xc3\xa4", b"").needle == "A\u0308"
    assert search(b'SUBJECT "\xc3\xa4"', utf8=True).key.needle == "A\u0308"
    assert refusal(b"CHARSET x-none ALL").code == "BADCHARSET (UTF-8 US-ASCII)"
    assert refusal(b"CHARSET UTF-8 TEXT {1}", b"\xe4", b"").kind == "BAD"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"NOTHING",
        b"NOT",
        b"OR SEEN",
        b"()",
        b"(SEEN",
        b"SEEN)",
        b"FROM",
        b"HEADER x",
        b'HEADER "a b" c',
        b"SINCE 32-Jan-2020",
        b"SINCE yesterday",
        b"LARGER -1",
        b"LARGER 99999999999999999999",
        b"YOUNGER 0",
        b"UID x",
        b"0",
        b"1:2:3",
        b"KEYWORD (",
        b"RETURN (ALL",
        b"RETURN (EVERYTHING) ALL",
        b"RETURN (PARTIAL 0:1) ALL",
        b"RETURN (PARTIAL 1:2 ALL) ALL",
        b"RETURN (PARTIAL 1:2 PARTIAL 1:2) ALL",
    ],
)
def test_what_is_no_search(text):
    assert refusal(text).kind == "BAD"


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "text",
    [
        b"ALL " * 10_000 + b"ALL",
        b"OR " * 10_000 + b"ALL ALL",
        b"NOT " * 10_000 + b"ALL",
        b"(" * 10_000,
        b"NOT " * (MOST_LEVELS + 1) + b"ALL",
        b"ALL " * MOST_KEYS + b"ALL",
    ],
)
def test_too_many_keys_are_refused(text):
    assert refusal(text).code == "LIMIT"


def test_as_many_keys_as_are_allowed():
    assert len(key(b"ALL " * (MOST_KEYS - 1) + b"SEEN").keys) == MOST_KEYS
    assert mentions(key(b"NOT " * MOST_LEVELS + b"MODSEQ 1"), Changed)
    assert mentions(key(b"OR ALL (SEEN MODSEQ 1)"), Changed)
    assert not mentions(key(b"OR ALL (SEEN 1)"), Changed)


def test_what_a_search_returns():
    assert search(b"ALL").returns is None
    assert search(b"RETURN () ALL").returns == Return(frozenset({Told.ALL}))
    assert search(b"return (min Count SAVE) ALL").returns == Return(
        frozenset({Told.MIN, Told.COUNT, Told.SAVE})
    )
    found = search(b"RETURN (UPDATE CONTEXT PARTIAL 10:5) CHARSET UTF-8 ALL", by_uid=True)
    assert found.returns.partial == (5, 10)
    assert found.by_uid


def test_sort():
    sort = parse_sort(Reader([b' (REVERSE DATE subject DisplayFrom) "UTF-8" UNSEEN']), by_uid=False)
    assert sort.criteria == (
        (Criterion.DATE, True),
        (Criterion.SUBJECT, False),
        (Criterion.DISPLAY_FROM, False),
    )
    assert sort.key == Not(SEEN)
    returning = parse_sort(Reader([b" RETURN (COUNT) (ARRIVAL) US-ASCII ALL"]), by_uid=True)
    assert returning.returns == Return(frozenset({Told.COUNT}))
    for text in (b" () UTF-8 ALL", b" (REVERSE) UTF-8 ALL", b" (COLOUR) UTF-8 ALL", b" (DATE) ALL"):
        with pytest.raises(BadCommand):
            parse_sort(Reader([text]), by_uid=False)


def test_thread():
    thread = parse_thread(Reader([b" references UTF-8 ALL"]), by_uid=True)
    assert (thread.algorithm, thread.key, thread.by_uid) == (Algorithm.REFERENCES, Everything(), True)
    with pytest.raises(BadCommand):
        parse_thread(Reader([b" REFS UTF-8 ALL"]), by_uid=True)


def test_cancel_update():
    assert parse_cancel_update(Reader([b' "a1" "b"'])) == CancelUpdate(("a1", "b"))
    with pytest.raises(BadCommand):
        parse_cancel_update(Reader([b""]))


def test_plain_responses():
    assert search_line(b"SEARCH", Found([2, 84])) == b"* SEARCH 2 84\r\n"
    assert search_line(b"SORT", Found([])) == b"* SORT\r\n"
    assert search_line(b"SEARCH", Found([2], 9)) == b"* SEARCH 2 (MODSEQ 9)\r\n"


def esearch(words, numbers, modseq=None, partial=None):
    return esearch_line("a1", True, Return(frozenset(map(Told, words)), partial), Found(numbers, modseq))


def test_extended_responses():
    assert (
        esearch(["MIN", "MAX", "ALL", "COUNT"], [2, 3, 4, 9], 17)
        == b'* ESEARCH (TAG "a1") UID MIN 2 MAX 9 ALL 2:4,9 COUNT 4 MODSEQ 17\r\n'
    )
    assert esearch(["MIN", "COUNT"], []) == b'* ESEARCH (TAG "a1") UID COUNT 0\r\n'
    assert esearch(["ALL"], []) == b'* ESEARCH (TAG "a1") UID\r\n'
    assert esearch(["SAVE"], [1]) == b""
    assert esearch(["SAVE", "ALL"], [1]) == b'* ESEARCH (TAG "a1") UID ALL 1\r\n'
    assert (
        esearch(["PARTIAL"], [9, 5, 6, 7], partial=(2, 3))
        == b'* ESEARCH (TAG "a1") UID PARTIAL (2:3 5:6)\r\n'
    )
    assert esearch(["PARTIAL"], [9], partial=(2, 3)) == b'* ESEARCH (TAG "a1") UID PARTIAL (2:3 NIL)\r\n'
    assert (
        update_line('a"b', False, b"ADDTO", [(0, 5), (0, 7)])
        == b'* ESEARCH (TAG "a\\"b") ADDTO (0 5 0 7)\r\n'
    )


def tree(shape):
    """A tree from (number, children…)."""
    number, *children = shape
    return Node(number, [tree(child) for child in children])


@pytest.mark.parametrize(
    ("shapes", "line"),
    [
        ([], b"* THREAD\r\n"),
        ([(2,)], b"* THREAD (2)\r\n"),
        ([(2,), (3, (6, (4, (23,)), (44, (7, (96,)))))], b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n"),
        ([(None, (3,), (5,))], b"* THREAD ((3)(5))\r\n"),
        ([(1, (2,), (3, (4,)))], b"* THREAD (1 (2)(3 4))\r\n"),
    ],
)
def test_threads(shapes, line):
    assert thread_line([tree(shape) for shape in shapes]) == line


def test_a_deep_thread_is_written_without_recursion():
    thread = Node(1, [])
    last = thread
    for number in range(2, 50_000):
        last.children.append(Node(number, []))
        last = last.children[0]
    assert thread_line([thread]).endswith(b" 49998 49999)\r\n")
