"""Dovecot over the same tree finds, sorts and threads the same."""

import time

import pytest
from dovecot import Dovecot, program, unprivileged_folder
from folders_house import FoldersHouse
from maildir_house import ANN, result_of
from twisted.internet.defer import succeed

from mailsys.interfaces import NewMessage
from mailsys.message.content import MemoryContent
from mailsys.read.imap.search.finder import Finder
from mailsys.read.imap.search.sorting import sort
from mailsys.read.imap.search.threading import thread
from mailsys.read.imap.view import View
from mailsys.threads import NoThreads
from mailsys.wire.imap.grammar import Reader
from mailsys.wire.imap.search import parse_search, parse_sort, parse_thread

DAY = 86_400


def letter(number, subject, *, references=(), sender="ann@a.example", body="text", day=1, extra=""):
    named = f"References: {' '.join(f'<{one}@x>' for one in references)}\r\n" if references else ""
    return (
        f"From: {sender}\r\nTo: Bob <bob{number}@b.example>, zoe@b.example\r\nCc: c{9 - number}@c.example\r\n"
        f"Subject: {subject}\r\nDate: {day} Jan 2020 12:00:00 +0100\r\nMessage-ID: <{number}@x>\r\n"
        f"{named}{extra}MIME-Version: 1.0\r\n\r\n{body}\r\n"
    ).encode()


LETTERS = [
    letter(1, "hello", body="one needle here", day=5),
    letter(2, "Re: hello", references=[1], sender='"Bert" <bert@a.example>', day=3),
    letter(3, "=?utf-8?q?=C3=84rger?=", sender="=?utf-8?q?J=C3=B6rg?= <joerg@a.example>", day=4),
    letter(4, "Re: [list] hello (fwd)", references=[1, 2], body="NEEDLE\r\nsecond", day=2),
    letter(5, "another", references=[7], day=1, extra="X-Colour: Blue\r\n"),
    letter(6, "fwd: another", references=[7], day=6),
    letter(8, "hello", sender="zoe@a.example", day=7),
    letter(
        9,
        "parts",
        body="--x\r\n\r\nfirst\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\nbmVlZGxl\r\n--x--",
        extra="Content-Type: multipart/mixed; boundary=x\r\n",
    ),
]
KEYS = [
    "ALL", "SEEN", "UNSEEN", "FLAGGED SEEN", "KEYWORD work", "UNKEYWORD work", "OR FLAGGED 1", "NOT 2:4",
    "UID 3:*", "SUBJECT hello", "SUBJECT HELL", 'SUBJECT "re: hello"', 'SUBJECT "[list]"', "FROM bert",
    'FROM "joerg@"', 'TO "bob2@"', "CC c5", "BCC x", "HEADER X-Colour blue", 'HEADER X-Colour ""',
    "HEADER Message-ID <3@x>", "HEADER References 2@x", "TEXT needle", "BODY needle", "BODY hello",
    "TEXT second", "TEXT Blue", "NOT TEXT needle", "SENTON 3-Jan-2020", "SENTBEFORE 3-Jan-2020",
    "SENTSINCE 3-Jan-2020", "ON 5-Jan-2024", "BEFORE 5-Jan-2024", "SINCE 5-Jan-2024", "LARGER 320",
    "SMALLER 320", "OR (SEEN SUBJECT hello) (NOT SEEN BODY first)", "OLDER 1000",
]  # fmt: skip
SORTS = [
    "SUBJECT", "REVERSE SUBJECT", "FROM", "TO", "CC", "DATE", "REVERSE DATE", "ARRIVAL", "SIZE",
    "FROM REVERSE DATE", "DISPLAYFROM", "REVERSE DISPLAYTO SUBJECT",
]  # fmt: skip


class House(FoldersHouse):
    """The time of its clock is the machine's, for what lies on the disk is compared with it."""

    monotonic = property(lambda self: time.monotonic(), lambda self, value: None)


class Both:
    """Our search and Dovecot's over one INBOX."""

    def __init__(self, house, imap):
        folder = house.select()
        self._finder = Finder(folder, View(folder.uids), NoThreads(), lambda: succeed(None), time.time())
        self._imap = imap

    def ours(self, command, parse):
        command = parse(Reader([f" {command}".encode()]), by_uid=True)
        finder = self._finder
        uids = result_of(finder.find(command.key, finder.all()))
        if parse is parse_sort:
            return result_of(sort(finder, uids, command.criteria))
        if parse is parse_thread:
            numbers = dict(zip(uids, uids, strict=True))
            line = result_of(thread(finder, uids, command.algorithm, numbers))
            return line.decode().removeprefix("* THREAD").strip()
        return uids

    def theirs(self, word, command):
        self._imap.untagged_responses.clear()
        status, said = self._imap.uid(word, *command.split(" "))
        assert status == "OK", (command, said)
        text = (said[-1] or b"").decode()
        return text if word == "THREAD" else [int(uid) for uid in text.split()]


@pytest.fixture
def both():
    program("imap")
    "ä".encode("utf-16-be")  # while Python can be read: the tests become another user
    with unprivileged_folder() as folder:
        house = House(folder)
        house.clock = time.time() - 3600
        house.tree.ready(ANN.address, "INBOX", "new")
        date = 1_704_369_600  # 4 January 2024, at noon
        flags = [
            {"\\Seen"},
            {"\\Flagged", "\\Seen"},
            set(),
            {"Work"},
            {"\\Answered"},
            set(),
            {"\\Seen"},
            set(),
        ]
        for place, (octets, marks) in enumerate(zip(LETTERS, flags, strict=True)):
            message = NewMessage(MemoryContent([octets]), frozenset(marks), date + place * DAY // 4)
            result_of(house.folders.append("INBOX", [message]))
        dovecot = Dovecot(house.data, house.root())
        imap = dovecot.imap()
        imap.select()
        yield Both(house, imap)
        dovecot.stop()
        assert dovecot.complaints() == []


def differences(both, word, commands, parse):
    """Commands that the two answer in different ways, with the answers."""
    answers = {command: (both.ours(command, parse), both.theirs(word, command)) for command in commands}
    return {command: said for command, said in answers.items() if said[0] != said[1]}


def test_the_same_is_found(both):
    assert differences(both, "SEARCH", KEYS, parse_search) == {}


def test_the_order_is_the_same(both):
    assert differences(both, "SORT", [f"({criteria}) UTF-8 ALL" for criteria in SORTS], parse_sort) == {}


def test_the_threads_are_the_same(both):
    commands = ["REFERENCES UTF-8 ALL", "ORDEREDSUBJECT UTF-8 ALL", "REFERENCES UTF-8 NOT SUBJECT hello"]
    assert differences(both, "THREAD", commands, parse_thread) == {}
