"""The client machines of IMAP and POP3 under anything that a server may send, cut anywhere.

The same machine hears it whole, octet by octet and in other pieces: all tell the same story, raise nothing,
never let a password go unasked, and say nothing more once they have told that the server is broken.
"""

from cutting import cuts, flipped, flips, pieces, tried
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.imap import client as imap
from mailsys.wire.imap import client_commands as commands
from mailsys.wire.imap import client_events as imap_events
from mailsys.wire.imap.client_values import BadValue, parse_values
from mailsys.wire.pop3 import client as pop3
from mailsys.wire.pop3 import client_events as pop3_events
from mailsys.wire.sasl.client import Login, PlainExchange

PASSWORD = "geheim"
ANN = Login("ann", PASSWORD)
IMAP_LINES = [
    b"* OK hello\r\n", b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] a\r\n", b"* PREAUTH a\r\n", b"* BYE\r\n",
    b"* CAPABILITY IMAP4rev1 STARTTLS SASL-IR LITERAL+\r\n", b"a1 OK\r\n", b"a2 OK a\r\n", b"a3 OK\r\n",
    b"a1 NO [X y] z\r\n", b"a2 BAD\r\n", b"a3 NO\r\n", b"+ \r\n", b"+ YQ==\r\n", b"* 1 EXISTS\r\n",
    b"* 2 FETCH (UID 7 BODY[] {5}\r\n\r\n)\r\n)\r\n", b'* LIST (\\A) "/" {3}\r\na&b\r\n', b"* SEARCH 1 2\r\n",
    b"* STATUS a (MESSAGES 1)\r\n", b"* 3 FETCH (X ((((NIL", b"))))\r\n",
]  # fmt: skip
POP3_LINES = [
    b"+OK hello\r\n", b"+OK\r\n", b"-ERR [AUTH] no\r\n", b"TOP\r\nSASL PLAIN\r\n", b".\r\n", b"..\r\n",
    b"a\r\n", b"+ \r\n", b"+ YQ==\r\n", b"\r\n.\r\n",
]  # fmt: skip


def streams(lines):
    """Lines of servers in any order, with some octets changed, and anything else."""
    sensible = st.lists(st.sampled_from(lines), max_size=12).map(b"".join)
    return st.builds(flipped, sensible, flips | st.just([])) | st.binary(max_size=100)


def imap_wish(machine, number):
    """Say one of the things that may be said now."""
    match number % 4 if machine.is_secure else 0:
        case 0 if not machine.is_secure:
            machine.start_tls()
        case 0 | 1:
            machine.log_in(PlainExchange(ANN))
        case 2:
            machine.run(commands.append("INBOX", [], b"one\r\ntwo"))
        case 3:
            machine.idle()


def pop3_wish(machine, number):
    match number % 4 if machine.is_secure else 0:
        case 0 if not machine.is_secure:
            machine.start_tls()
        case 0:
            machine.log_in(PlainExchange(ANN))
        case 1:
            machine.log_in_plainly(ANN)
        case 2:
            machine.run("RETR 1", 50)
        case 3:
            machine.run("STAT")


class Talk:
    """A machine, and somebody who has a wish whenever one may be told."""

    def __init__(self, machine, wish, ready, tls, challenged, is_broken):
        self.machine, self.wish = machine, wish
        self.ready, self.tls, self.challenged, self.is_broken = ready, tls, challenged, is_broken
        self.story, self.said = [], b""

    def hear(self, data):
        self.machine.receive_data(data)
        while (event := self.machine.next_event()) is not None:
            assert not self.story or not isinstance(self.story[-1], self.is_broken)
            self.story.append(event)
            self.answer(event)
        self.note()

    def answer(self, event):
        if isinstance(event, self.tls):
            self.note()
            assert PASSWORD not in self.said.decode("latin-1")
            self.machine.tls_started()
        elif isinstance(event, self.challenged):
            self.machine.give_up()
        elif self.machine.state.name == "READY":
            self.wish(self.machine, len(self.story))
        self.note()

    def note(self):
        self.said += self.machine.data_to_send()


def imap_talk():
    return Talk(
        imap.IMAPClient(), imap_wish, imap_events.Ready, imap_events.TLSMayBegin, imap_events.Challenged,
        imap_events.Broken | imap_events.Stopped,
    )  # fmt: skip


def pop3_talk():
    return Talk(
        pop3.POP3Client(), pop3_wish, pop3_events.Ready, pop3_events.TLSMayBegin, pop3_events.Challenged,
        pop3_events.Broken,
    )  # fmt: skip


def play(new_talk, script, sizes):
    """Let three machines hear the script, the pieces between steps at once; returns their talks.

    A step is what a server says in one go: what comes behind the yes to STARTTLS in one go is refused,
    and may be taken for the beginning of TLS when it comes later.
    """
    talks = [new_talk() for _ in range(3)]
    for step in script:
        talks[0].hear(step)
        for octet in step:
            talks[1].hear(bytes([octet]))
        for piece in pieces(step, sizes):
            talks[2].hear(piece)
    return talks


def assert_one_story(talks):
    # Once an injection was seen by one, the others had no chance to.
    ends = [
        len(talk.story) - 1
        for talk in talks
        if talk.story and "before TLS began" in getattr(talk.story[-1], "why", "")
    ]
    shared = min(ends) if ends else None
    assert talks[0].story[:shared] == talks[1].story[:shared] == talks[2].story[:shared]
    if not ends:
        assert talks[0].said == talks[1].said == talks[2].said
    for talk in talks:
        assert talk.said == b"" or talk.said.endswith((b"\r\n", b"one\r\ntwo"))


@given(script=st.lists(streams(IMAP_LINES), max_size=6), sizes=cuts)
def test_imap(script, sizes):
    assert_one_story(play(imap_talk, [IMAP_LINES[0], *script], sizes))


@given(script=st.lists(streams(IMAP_LINES), max_size=6), sizes=cuts)
def test_imap_inside_tls(script, sizes):
    begun = [IMAP_LINES[1], b"a1 OK begin\r\n", IMAP_LINES[4] + b"a2 OK\r\n"]
    talks = play(imap_talk, [*begun, *script], sizes)
    assert all(talk.machine.is_secure for talk in talks)
    assert_one_story(talks)


@given(script=st.lists(streams(POP3_LINES), max_size=6), sizes=cuts)
def test_pop3(script, sizes):
    assert_one_story(play(pop3_talk, script, sizes))


@given(script=st.lists(streams(POP3_LINES), max_size=6), sizes=cuts)
def test_pop3_inside_tls(script, sizes):
    begun = [b"+OK\r\n", b"-ERR\r\n", b"+OK begin\r\n", b"+OK\r\nUSER\r\n.\r\n"]
    talks = play(pop3_talk, [*begun, *script], sizes)
    assert all(talk.machine.is_secure for talk in talks)
    assert_one_story(talks)


@given(
    segments=st.lists(
        st.binary(max_size=40) | st.sampled_from([b"(", b")", b"{3}", b'"a', b"NIL"]), min_size=1
    )
)
def test_values(segments):
    values, error = tried(BadValue, parse_values, segments)
    if error is None:
        assert all(isinstance(value, bytes | list | None) for value in values)
    else:
        assert str(error).startswith(("sent ", "announced "))
