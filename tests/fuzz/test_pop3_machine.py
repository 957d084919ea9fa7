"""POP3 as strangers speak it: any commands, in any order, cut anywhere.

Three machines hear the same: one in whole groups, one octet by octet, one in other pieces.  All must
tell the same story, keep to RFC 1939's states, raise nothing and hold little.
"""

from cutting import cuts, pieces
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mailsys.wire.pop3.capabilities import Terms
from mailsys.wire.pop3.commands import (
    LARGEST_NUMBER,
    Auth,
    Dele,
    List,
    Pass,
    Quit,
    Retr,
    Rset,
    Stat,
    State,
    Stls,
    Top,
    Uidl,
    User,
)
from mailsys.wire.pop3.server import LINE_OCTETS, RESPONSE_OCTETS, POP3Server, Rejected, SaslLine

OF_A_MAILBOX = Stat | List | Uidl | Retr | Top | Dele | Rset

COMMANDS = [
    b"USER a", b"PASS b c", b"USER \xc3\xa9", b"USER", b"AUTH", b"AUTH PLAIN", b"AUTH PLAIN AGEAYg==",
    b"AUTH A B C", b"STLS", b"STLS x", b"CAPA", b"UTF8", b"STAT", b"LIST", b"LIST 1", b"UIDL", b"UIDL 2",
    b"RETR 1", b"TOP 1 0", b"DELE 1", b"RSET", b"NOOP", b"retr 2", b"APOP a b", b"", b" ", b"\x00",
    b"AGEAYg==", b"*", b"XYZZY",
]  # fmt: skip
command = st.sampled_from(COMMANDS) | st.binary(max_size=30)
ends = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b""])
numbers = st.sampled_from(
    [b"0", b"-1", b"1", b"9" * 5000, b"99999999999", b"1e3", b"\xd9\xa1", b"2147483648"]
)


class Talk:
    """A machine with somebody who answers; ``moods`` decides by the number of the event."""

    def __init__(self, moods):
        self.machine = POP3Server(Terms(stls=True, mechanisms=("PLAIN",)))
        self.moods = moods
        self.story = []
        self.closed = False
        self.is_in = False
        self.is_asked = False  # a challenge waits for its response

    def feed(self, data):
        if self.closed:
            return
        self.machine.receive_data(data)
        while not self.closed and (event := self.machine.next_event()) is not None:
            self.take(event)
        if not self.closed:
            limit = RESPONSE_OCTETS if self.machine.state is State.AUTHENTICATION else LINE_OCTETS
            assert len(self.machine._lines) <= limit, "what waits is bounded"

    def take(self, event):
        self.story.append(event)
        was_asked, self.is_asked = self.is_asked, False
        is_good = self.moods[len(self.story) % len(self.moods)]
        match event:
            case Rejected(response, closes):
                assert response.render().startswith(b"-ERR ")
                self.closed = closes
            case Quit():
                self.closed = True
            case SaslLine():
                assert was_asked
                self.log_in(is_good)
            case Auth():
                assert not self.is_in
                if is_good:
                    assert self.machine.challenge(b"") == b"+ \r\n"
                    self.is_asked = True
            case User() | Pass():
                assert not self.is_in
                self.log_in(is_good and isinstance(event, Pass))
            case Stls():
                assert not self.is_in
                self.machine = POP3Server(Terms(stls=False, mechanisms=("PLAIN",)))
            case _ if isinstance(event, OF_A_MAILBOX):
                assert self.is_in, f"{event} before the login"
                number = getattr(event, "number", None)
                assert number is None or 0 < number <= LARGEST_NUMBER

    def log_in(self, is_good):
        if is_good:
            self.machine.logged_in()
            self.is_in = True


class Session(RuleBasedStateMachine):
    """One connection, heard three times over."""

    @initialize(moods=st.lists(st.booleans(), min_size=1, max_size=7), sizes=cuts)
    def connect(self, moods, sizes):
        self.talks = [Talk(moods) for _ in range(3)]
        self.sizes = sizes

    def send(self, data, single=True):
        whole, octets, cut = self.talks
        whole.feed(data)
        for piece in pieces(data, [1] if single else [4000]):
            octets.feed(piece)
        for piece in pieces(data, self.sizes if single else [4000]):
            cut.feed(piece)
        stories = [talk.story for talk in self.talks]
        # What came behind STLS in one segment is refused, and taken for TLS when it comes later.
        early = [len(story) for story in stories if story and is_early(story[-1])]
        shared = min(early) - 1 if early else None
        assert stories[0][:shared] == stories[1][:shared] == stories[2][:shared]
        for talk in self.talks:
            talk.closed = talk.closed or bool(early)
        assert len({talk.closed for talk in self.talks}) == 1

    @rule(command=command, end=ends)
    def say(self, command, end):
        self.send(command + end)

    @rule(commands=st.lists(command, min_size=2, max_size=8))
    def say_many(self, commands):
        self.send(b"\r\n".join(commands) + b"\r\n")

    @rule(verb=st.sampled_from([b"RETR ", b"DELE ", b"TOP 1 ", b"LIST ", b"UIDL "]), number=numbers)
    def say_a_number(self, verb, number):
        self.send(verb + number + b"\r\n")

    @rule()
    def log_in(self):
        self.send(b"USER a\r\nPASS b\r\n")

    @rule(data=st.binary(max_size=200))
    def send_anything(self, data):
        self.send(data)

    @rule(octets=st.integers(500, 70_000))
    def send_long_line(self, octets):
        self.send(b"x" * octets, single=False)


def is_early(event):
    """Was it refused for what came behind STLS?"""
    return isinstance(event, Rejected) and event.closes and "STLS" in event.response.text


Session.TestCase.settings = settings(suppress_health_check=[HealthCheck.too_slow], print_blob=True)
TestPOP3 = Session.TestCase
