"""IMAP as strangers speak it: any commands with any literals, cut anywhere.

Machines that hear the same in other pieces must tell the same story, keep to RFC 9051's states, raise
nothing and hold little.
"""

import time

import pytest
from cutting import cuts, flipped, flips, pieces
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.imap.append import (
    Append,
    AppendEnds,
    LiteralStarts,
    MessageEnds,
    MessageStarts,
    Octets,
    UrlPart,
)
from mailsys.wire.imap.capabilities import Terms
from mailsys.wire.imap.commands import State
from mailsys.wire.imap.events import IdleEnds, Proceed, Rejected, Request, SaslLine
from mailsys.wire.imap.server import COMMAND_OCTETS, LINE_OCTETS, IMAPServer
from mailsys.wire.imap.session_commands import Authenticate, Idle, Login, Logout, Starttls

LINES = [
    b"a NOOP", b"a CAPABILITY", b"a LOGOUT", b"a LOGIN x y", b'a LOGIN "x" {3+}\r\nabc',
    b"a LOGIN {1}\r\nx {2}\r\nyz", b"a AUTHENTICATE PLAIN", b"a AUTHENTICATE PLAIN AGEAYg==", b"AGEAYg==",
    b"*", b'a ID ("name" "x")', b"a ID NIL", b"a ENABLE UTF8=ACCEPT", b"a IDLE", b"DONE", b"a SELECT INBOX",
    b"a EXAMINE x (CONDSTORE)", b"a SELECT x (QRESYNC (1 2 3:4 (1 2)))",
    b'a LIST "" (* %) RETURN (STATUS (MESSAGES))', b'a LIST (SUBSCRIBED) "" {1+}\r\n*',
    b"a CREATE x (USE (\\Sent))", b"a STATUS x (MESSAGES SIZE)",
    b"a FETCH 1:* (FLAGS BODY[1.2.HEADER.FIELDS (A B)]<1.2>)",
    b"a UID FETCH 1,3:* (BINARY.PEEK[1]) (CHANGEDSINCE 3 VANISHED)",
    b"a STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen x)", b"a UID MOVE 1 y", b"a EXPUNGE",
    b"a UID EXPUNGE 1:3", b"a CLOSE", b"a APPEND x (\\Seen) {5+}\r\nhello",
    b"a APPEND x {5}\r\nhello {3+}\r\nyou", b"a APPEND {1+}\r\nx UTF8 (~{2+}\r\nhi)",
    b'a APPEND x CATENATE (URL "u" TEXT {2+}\r\nhi URL {1+}\r\nu)', b"a COMPRESS DEFLATE", b"a STARTTLS",
    b"a XYZZY {3+}\r\nabc", b"a CREATE {999999+}", b"a CREATE {999999}",
    b"a SEARCH CHARSET UTF-8 TEXT {3+}\r\nabc OR (SEEN) NOT DELETED", b"", b" ", b"a",
]  # fmt: skip
AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED, State.IDLING})
line = st.builds(flipped, st.sampled_from(LINES), st.just([]) | flips) | st.binary(max_size=40)
talk = st.lists(line, max_size=12).map(lambda lines: b"\r\n".join([*lines, b""]))


class Talk:
    """A machine with somebody who answers as ``moods`` says, by the number of the event."""

    def __init__(self, moods, logged_in):
        self.machine = IMAPServer(Terms(starttls=True, mechanisms=("PLAIN",)))
        if logged_in:
            self.machine.logged_in()
            self.machine.select(True)
        self.moods = moods
        self.story = []
        self.closed = False
        self.appending = False

    def feed(self, data):
        if self.closed:
            return
        self.machine.receive_data(data)
        while not self.closed and (event := self.machine.next_event()) is not None:
            self.take(event)
        if not self.closed:
            held = sum(map(len, self.machine._segments)) + len(self.machine._lines)
            assert held <= COMMAND_OCTETS + LINE_OCTETS, "what waits is bounded"

    def take(self, event):
        if isinstance(event, Octets) and self.story and isinstance(self.story[-1], Octets):
            self.story[-1] = Octets(self.story[-1].data + event.data)
            return
        self.story.append(event)
        mood = self.moods[len(self.story) % len(self.moods)]
        match event:
            case Rejected(closes=closes):
                assert event.render().endswith(b"\r\n")
                self.closed, self.appending = closes, False
            case Request(tag, command):
                assert tag
                assert not self.appending
                self.obey(command, mood)
            case LiteralStarts() if mood:
                self.machine.accept_literal()
            case LiteralStarts():
                self.machine.refuse_append()
                self.appending = False
            case AppendEnds():
                assert self.appending
                self.appending = False
            case MessageStarts() | MessageEnds() | UrlPart() | Octets():
                assert self.appending
            case SaslLine() if mood:
                self.machine.logged_in()
            case IdleEnds():
                assert self.machine.state in AFTER_LOGIN
            case Proceed():
                assert not self.appending

    def obey(self, command, mood):
        match command:
            case Login() if mood:
                self.machine.logged_in()
            case Authenticate() if mood:
                self.machine.challenge(b"")
            case Append():
                self.appending = True
            case Idle():
                assert self.machine.state is State.IDLING
            case Logout() | Starttls():
                self.closed = True


@given(talk, st.lists(st.booleans(), min_size=1, max_size=5), cuts, st.booleans())
def test_the_same_story_however_it_is_cut(data, moods, sizes, logged_in):
    whole, cut = Talk(moods, logged_in), Talk(moods, logged_in)
    whole.feed(data)
    for piece in pieces(data, sizes):
        cut.feed(piece)
    stories = whole.story, cut.story
    # What comes behind STARTTLS or COMPRESS in one segment is refused, and is legal when it comes later.
    early = [
        at
        for story in stories
        for at, event in enumerate(story)
        if isinstance(event, Rejected) and event.closes and "before its response" in event.response.text
    ]
    end = min(early) if early else None
    assert stories[0][:end] == stories[1][:end]


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "command",
    [
        b"a FETCH 1 (" + b"(" * 60_000 + b"\r\n",
        b"a FETCH " + b"1:*," * 16_000 + b"1 FLAGS\r\n",
        b"a FETCH 1 (" + b"FLAGS " * 10_000 + b")\r\n",
        b"a FETCH 1 BODY[HEADER.FIELDS (" + b"x " * 30_000 + b")]\r\n",
        b"a FETCH 1 BODY[" + b"1." * 30_000 + b"]\r\n",
        b'a LIST "" (' + b"*% " * 20_000 + b")\r\n",
        b"a SELECT " + b"&AOQ-" * 12_000 + b"\r\n",
        b'a SELECT "' + b"\\\\" * 30_000 + b"\r\n",
        b"a STORE 1 FLAGS (" + b"x " * 30_000 + b")\r\n",
        b"a LIST (" + b"{0+}\r\n" * 10_000 + b"\r\n",
        b"a SELECT x (QRESYNC (1 1 " + b"1," * 30_000 + b"1))\r\n",
        b"a " + b"x" * 900_000 + b"\r\n",
        b"a APPEND x" + b" {1+}\r\nx" * 1000 + b"\r\n",
        b"a XYZZY" + b" {1+}\r\nx" * 8000 + b"\r\n",
        b"a NOOP\r\n" * 2000,
    ],
    ids=lambda command: command[:24].decode(),
)
def test_no_command_takes_long(command):
    """Row 47: under 50 ms for the longest, on any path."""

    def hear():
        talk = Talk([True], logged_in=True)
        for at in range(0, len(command), 65536):
            talk.feed(command[at : at + 65536])
        assert talk.story

    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        hear()
        best = min(best, time.thread_time() - start)
    assert best < 0.05
