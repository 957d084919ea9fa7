"""Searching and sorting many messages: what has gone, what is read, and that others have their turn."""

import pytest
from imap_house import House, now_of
from twisted.internet.defer import succeed

from mailsys.interfaces import FlagChange, Holding
from mailsys.message.structure.casemap import search_form
from mailsys.read.imap.search.finder import Finder
from mailsys.read.imap.search.sorting import CHUNK, sort, sort_in_chunks
from mailsys.read.imap.search.threading import TooTangled, thread
from mailsys.read.imap.view import View
from mailsys.threads import NoThreads
from mailsys.wire.imap.grammar import Reader
from mailsys.wire.imap.search import Algorithm, Criterion, parse_search


class Watcher:
    def arrived(self, uids):
        pass

    flags_changed = expunged = arrived

    def gone(self):
        pass


class Searching:
    """A folder with these messages, and a finder over it."""

    def __init__(self, messages, now=2_000_000_000.0):
        self.house = House(messages)
        self.folder = now_of(self.house.folders.open("INBOX", Watcher(), read_only=False))
        self.turns = 0
        self.view = View(self.folder.uids)
        self.finder = Finder(self.folder, self.view, NoThreads(), self.give_way, now)

    def give_way(self):
        self.turns += 1
        return succeed(None)

    def find(self, text):
        key = parse_search(Reader([b" " + text.encode()], utf8=True), by_uid=False).key
        return now_of(self.finder.find(key, self.finder.all()))

    def sorted(self, *criteria):
        return now_of(sort(self.finder, self.finder.all(), criteria))

    def threads(self, algorithm=Algorithm.REFERENCES):
        uids = self.finder.all()
        return now_of(thread(self.finder, uids, algorithm, dict(zip(uids, uids, strict=True))))


def letter(subject="x", body="body", **fields):
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"Subject": subject, **fields}.items()]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}\r\n").encode()


def test_many_messages_are_looked_at_in_slices(monkeypatch):
    searching = Searching([letter(f"s{n}", body="needle" if n % 7 == 0 else "hay") for n in range(1_500)])
    assert len(searching.find("BODY needle")) == 215
    assert searching.turns > 10
    monkeypatch.setattr("mailsys.read.imap.search.finder.COLUMNS_AT_ONCE", 400)
    searching.turns = 0
    assert searching.find("SUBJECT s149") == [150, *range(1491, 1501)]
    assert searching.turns == 3


def test_what_has_gone_is_not_found():
    searching = Searching([letter(body="needle") for _ in range(4)])
    folder = now_of(searching.house.folders.open("INBOX", Watcher(), read_only=False))
    now_of(folder.store([2], FlagChange.ADD, frozenset({"\\Deleted"}), unchanged_since=None))
    now_of(folder.expunge([2]))
    for key in ("BODY needle", "UNSEEN", "SMALLER 1000", "HEADER Subject x", "SINCE 1-Jan-1980", "MODSEQ 1"):
        expected = [1, 2, 3, 4] if key == "UNSEEN" else [1, 3, 4]
        assert searching.find(key) == expected, key
    searching.view.note_gone([2])
    assert searching.find("UNSEEN") == [1, 3, 4]
    assert searching.sorted((Criterion.SUBJECT, True)) == [1, 3, 4]


class Indexed:
    """A folder that knows words; reading is not what it wants."""

    def __init__(self, folder, holding):
        self._folder = folder
        self._holding = holding
        self.asked = []
        self.read = []

    def __getattr__(self, name):
        return getattr(self._folder, name)

    async def holding(self, needle, *, in_header, learn=True):
        self.asked.append((needle, in_header, learn))
        return self._holding

    def read_cached(self, uid):
        self.read.append(uid)
        return self._folder.read_cached(uid)


def test_only_what_the_index_is_not_sure_of_is_read():
    searching = Searching([letter(body="needle", X_Note="x")] * 5)
    folder = Indexed(searching.folder, Holding(certain=[1, 99], possible=[3]))
    searching.finder = Finder(folder, searching.view, NoThreads(), searching.give_way, 0.0)
    assert searching.find("BODY Needle") == [1, 3]
    assert folder.read == [3]
    assert searching.find("2:* TEXT needle") == [3]
    assert searching.find("HEADER X-Note x") == [1, 3]
    assert searching.find("SUBJECT x") == [1, 2, 3, 4, 5]
    assert folder.asked == [("NEEDLE", False, True), ("NEEDLE", True, True), ("X", True, False)]


def test_large_and_odd_messages_are_found_too():
    large = b"Subject: large\r\n\r\n" + b"hay " * 100_000 + b"needle"
    odd = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        + b"--x\r\n\r\ny\r\n" * 500
        + b"--x\r\n\r\nneedle"
    )
    searching = Searching([large, letter(), odd])
    assert searching.find("TEXT needle") == [1, 3]
    assert searching.find("HEADER Content-Type mixed") == [3]


def test_ages():
    searching = Searching([letter()] * 3, now=1_000_000_061.0)  # they came at 1,000,000,000 and later
    assert searching.find("YOUNGER 60") == [2, 3]
    assert searching.find("OLDER 60") == [1, 2]


def test_dates_that_messages_do_not_have():
    searching = Searching([letter(Date="Mon, 7 Feb 1994 23:00:00 -0800"), letter(), letter(Date="soon")])
    assert searching.find("SENTON 7-Feb-1994") == [1]
    assert searching.find("NOT SENTBEFORE 7-Feb-1994") == [1, 2, 3]
    assert searching.find("SENTSINCE 1-Jan-1970") == [1]
    assert searching.find("SAVEDSINCE 1-Jan-1970") == [1, 2, 3]


def test_messages_by_their_id():
    ids = ["<A.1@x.example>", "no brackets", "<b@x.example>"]
    searching = Searching([letter(Message_ID=one) for one in ids])
    assert searching.find("HEADER Message-ID <a.1@X.EXAMPLE>") == [1]
    assert searching.find("HEADER Message-ID x.example") == [1, 3]
    assert searching.find("HEADER Message-ID brackets") == [2]


def test_words_across_lines_and_in_other_forms():
    searching = Searching([letter(body="Das ist\r\n   sch\u00f6n."), letter("=?utf-8?q?=C3=84rger?=")])
    assert searching.find('BODY "ist SCH\u00d6N"') == [1]
    assert searching.find('SUBJECT "a\u0308rg"') == [2]
    assert searching.find('TEXT "\u00e4rger"') == [2]
    assert search_form("  \u00e4 ") == " A\u0308 "


# ------------------------------------------------------------------ sorting


def test_sorting_by_what_people_see():
    searching = Searching(
        [
            letter("Re: b", From="Zoe <a@x>", To="c@x", Date="3 Jan 2020 00:00 +0000"),
            letter("A", From="b@x", To="a@x", Date="2 Jan 2020 00:00 +0000"),
            letter("[list] B", From='"ann" <c@x>', Cc="d@x", Date="1 Jan 2020 23:00 -0200"),
        ]
    )
    up, down = False, True
    assert searching.sorted((Criterion.SUBJECT, up)) == [2, 1, 3]
    assert searching.sorted((Criterion.SUBJECT, down)) == [1, 3, 2]
    assert searching.sorted((Criterion.SUBJECT, down), (Criterion.DATE, up)) == [3, 1, 2]
    assert searching.sorted((Criterion.FROM, up)) == [1, 2, 3]
    assert searching.sorted((Criterion.DISPLAY_FROM, up)) == [3, 2, 1]
    assert searching.sorted((Criterion.TO, up)) == [3, 2, 1]
    assert searching.sorted((Criterion.CC, down)) == [3, 1, 2]
    assert searching.sorted((Criterion.DATE, up)) == [2, 3, 1]
    assert searching.sorted((Criterion.ARRIVAL, down)) == [3, 2, 1]


def test_sorting_in_chunks_is_sorting():
    items = [(n * 7919) % 1000 for n in range(3 * CHUNK + 5)]
    places = list(range(len(items)))
    for reverse in (False, True):
        expected = sorted(places, key=items.__getitem__, reverse=reverse)
        assert sort_in_chunks(places, items.__getitem__, reverse=reverse) == expected
    assert sort_in_chunks([], items.__getitem__) == []


# ------------------------------------------------------------------ threads


def mail(id_, *references, subject="x", day=1, **fields):
    if references:
        fields["References"] = " ".join(f"<{one}>" for one in references)
    return letter(subject, Message_ID=f"<{id_}>", Date=f"{day} Jan 2020 00:00 +0000", **fields)


def threads(*messages, algorithm=Algorithm.REFERENCES):
    return Searching(messages).threads(algorithm).decode().removeprefix("* THREAD").strip()


def test_answers_hang_below_what_they_answer():
    assert threads(mail("a"), mail("b", "a", day=2), mail("c", "a", "b", day=3), mail("d", "a", day=4)) == (
        "(1 (2 3)(4))"
    )
    assert threads(mail("c", "a", "b", day=3), mail("b", "a", day=2), mail("a")) == "(3 2 1)"


def test_in_reply_to_serves_where_there_are_no_references():
    assert threads(mail("a"), letter("y", In_Reply_To="<a>", Message_ID="<b>")) == "(1 2)"


def test_what_is_missing_holds_its_answers_together():
    assert threads(mail("b", "a", day=2, subject="p"), mail("c", "a", day=1, subject="q")) == "((2)(1))"
    assert threads(mail("c", "a", "b", subject="p")) == "(1)"


def test_threads_of_one_subject_are_one():
    assert threads(mail("a", subject="s"), mail("b", subject="Re: s", day=2)) == "(1 2)"
    assert threads(mail("a", subject="s"), mail("b", subject="s", day=2)) == "((1)(2))"
    assert threads(mail("a", subject="Re: s"), mail("b", subject="s", day=2)) == "(2 1)"
    assert threads(mail("a", subject=""), mail("b", subject="", day=2)) == "(1)(2)"
    missing = (mail("c", "m", subject="s", day=1), mail("d", "m", subject="s", day=2))
    assert threads(*missing, mail("e", subject="Re: s", day=3)) == "((1)(2)(3))"


def test_roots_and_siblings_are_in_the_order_of_their_dates():
    assert threads(
        mail("a", subject="p", day=5),
        mail("b", subject="q", day=1),
        mail("c", "a", day=9),
        mail("d", "a", day=8),
    ) == ("(2)(1 (4)(3))")


def test_ordered_subject():
    found = threads(
        mail("a", subject="s", day=3),
        mail("b", subject="t", day=1),
        mail("c", subject="Re: S", day=2),
        mail("d", subject="fwd: s", day=4),
        algorithm=Algorithm.ORDERED_SUBJECT,
    )
    assert found == "(2)(3 (1)(4))"


@pytest.mark.row(48)
def test_loops_and_twins_do_no_harm():
    assert threads(mail("a", "b"), mail("b", "a", day=2)) in ("(1 2)", "(2 1)")
    assert threads(mail("a", "a")) == "(1)"
    assert threads(mail("a", subject="p"), mail("a", subject="q", day=2), mail("b", "a", day=3)) == "(1 3)(2)"
    assert threads(mail("c", "a", "b"), mail("d", "b", "a", day=2)).count("(") >= 1


@pytest.mark.row(48)
def test_a_thread_of_many_generations():
    messages = [mail(f"m{n}", f"m{n - 1}", subject=f"s{n}") for n in range(1, 1001)]
    for order in (messages, messages[::-1]):
        line = threads(*order)
        assert line.count("(") == 1
        assert len(line.split()) == 1000


@pytest.mark.row(48)
def test_references_that_lead_around_for_ever_are_refused(monkeypatch):
    monkeypatch.setattr("mailsys.read.imap.search.threading.MOST_STEPS", 100)
    messages = [mail(f"m{n}", f"m{n - 1}", subject=f"s{n}") for n in range(1, 300)]
    backwards = [mail(f"z{n}", f"m{299 - n}", f"m{n}", subject=f"t{n}") for n in range(1, 150)]
    with pytest.raises(TooTangled):
        threads(*messages[::-1], *backwards)
