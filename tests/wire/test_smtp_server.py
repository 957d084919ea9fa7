"""The SMTP machine alone: commands to events, states, and what must never be taken for a command."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.envelope import Body
from mailsys.wire.data import DataFault
from mailsys.wire.smtp.commands import (
    COMMANDS,
    Auth,
    Bdat,
    Data,
    Expn,
    Hello,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTLS,
    State,
    Vrfy,
)
from mailsys.wire.smtp.server import BodyEnd, BodyPiece, ChunkEnd, LoginResponse, Rejected, SMTPServer

ANN = Address("ann", "example.org")
BOB = Address("bob", "example.org")


class Talk:
    """Feeds a machine and answers every event with success; remembers events and replies."""

    def __init__(self, **settings):
        self.machine = SMTPServer(**settings)
        self.events = []
        self.said = b""
        self.body = b""
        self.closed = False

    def feed(self, data):
        if not self.closed:
            self.machine.receive_data(data)
        while not self.closed and (event := self.machine.next_event()) is not None:
            self.take(event)
        return self

    def take(self, event):
        if isinstance(event, BodyPiece):
            self.body += event.data
            return
        self.events.append(event)
        match event:
            case Rejected(reply, closes):
                self.said += self.machine.answer(reply)
                self.closed = closes
            case Bdat():
                pass
            case Data():
                self.said += self.machine.answer(replies.START_DATA)
            case Quit():
                self.said += self.machine.answer(replies.GOODBYE)
            case Auth():
                self.said += self.machine.challenge(b"")
            case _:
                self.said += self.machine.answer(replies.OK)

    @property
    def codes(self):
        return [int(line[:3]) for line in self.said.splitlines()]


def greeted(**settings):
    talk = Talk(**settings).feed(b"EHLO client.example\r\n")
    talk.events.clear()
    talk.said = b""
    return talk


def in_state(state):
    talk = greeted()
    ways = {
        State.READY: b"",
        State.MAIL: b"MAIL FROM:<ann@example.org>\r\n",
        State.RCPT: b"MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\n",
        State.CHUNKS: b"MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nBDAT 2\r\nab",
    }
    if state is State.START:
        return Talk()
    talk.feed(ways[state])
    assert talk.machine.state is state
    talk.events.clear()
    talk.said = b""
    return talk


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"HELO a.example", Hello("HELO", "a.example")),
        (b"ehlo [192.0.2.1]", Hello("EHLO", "[192.0.2.1]")),
        (b"EHLO under_score ", Hello("EHLO", "under_score")),
        (b"MAIL FROM:<ann@example.org>", Mail(ANN)),
        (b"MAIL FROM: <ann@example.org>", Mail(ANN)),
        (b"mail from:<>", Mail(None)),
        (
            b"MAIL FROM:<ann@example.org> SIZE=100 BODY=8BITMIME SMTPUTF8",
            Mail(ANN, 100, Body.EIGHT_BIT_MIME, True),
        ),
        (b"MAIL FROM:<ann@example.org> AUTH=<>", Mail(ANN)),
        (b"MAIL FROM:<ann@example.org> AUTH=ann", Mail(ANN)),
        (b"MAIL FROM:<@relay.example,@b.example:ann@example.org>", Mail(ANN)),
        (b'MAIL FROM:<"a>b"@example.org>', Mail(Address("a>b", "example.org"))),
        (b"MAIL FROM:<a..b@example.org>", Mail(Address("a..b", "example.org"))),
        (b"MAIL FROM:<.a.@example.org>", Mail(Address(".a.", "example.org"))),
        (
            "MAIL FROM:<änn@example.org> SMTPUTF8".encode(),
            Mail(Address("änn", "example.org"), None, Body.SEVEN_BIT, True),
        ),
        (b"NOOP whatever", Noop()),
        (b"RSET", Rset()),
        (b"VRFY bob", Vrfy()),
        (b"EXPN list", Expn()),
        (b"HELP", Help()),
        (b"STARTTLS", StartTLS()),
        (b"AUTH PLAIN AGEAYg==", Auth("PLAIN", b"AGEAYg==")),
        (b"auth login", Auth("LOGIN", None)),
        (b"QUIT", Quit()),
    ],
)
def test_commands(line, event):
    talk = greeted().feed(line + b"\r\n")
    assert talk.events == [event]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"RCPT TO:<bob@example.org>", Rcpt(BOB)),
        (b"RCPT TO:<Postmaster>", Rcpt(None)),
        (b"DATA", Data()),
        (b"BDAT 0 LAST", Bdat(0, True)),
    ],
)
def test_commands_of_a_transaction(line, event):
    assert in_state(State.RCPT).feed(line + b"\r\n").events[0] == event


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb not in (b"BDAT",)])
@pytest.mark.parametrize("state", [State.START, State.READY, State.MAIL, State.RCPT, State.CHUNKS])
def test_every_command_in_every_state_follows_the_table(verb, state):
    arguments = {
        b"HELO": b" a",
        b"EHLO": b" a",
        b"MAIL": b" FROM:<>",
        b"RCPT": b" TO:<b@c.example>",
        b"AUTH": b" PLAIN",
    }
    talk = in_state(state).feed(verb + arguments.get(verb, b"") + b"\r\n")
    [event] = talk.events
    legal = state in COMMANDS[verb].legal
    assert isinstance(event, Rejected) != legal
    if not legal:
        assert event.reply.code == 503
        assert talk.machine.state is state


@pytest.mark.row(2)
def test_bare_line_feed_in_a_command():
    """Row 2: a LF alone ends no command, and the third such line ends the connection."""
    talk = greeted().feed(b"MAIL FROM:<ann@example.org>\nRCPT TO:<b@c.example>\r\n")
    assert talk.codes == [500]
    talk.feed(b"NOOP\rNOOP\r\n")
    assert not talk.closed
    talk.feed(b"NOOP\n\r\n")
    assert talk.codes == [500, 500, 500]
    assert talk.closed
    assert not talk.machine.in_transaction


@pytest.mark.row(5)
@pytest.mark.row(6)
def test_starttls_with_more_behind_it():
    """Rows 5 and 6: what was sent behind STARTTLS is never run, an argument is refused."""
    talk = greeted().feed(b"STARTTLS\r\nMAIL FROM:<x@example.org>\r\n")
    assert talk.events == [Rejected(replies.UNAUTHORISED_PIPELINING, closes=True)]
    assert greeted().feed(b"STARTTLS now\r\n").codes == [501]
    assert in_state(State.MAIL).feed(b"STARTTLS\r\n").codes == [503]


def test_tls_forgets_what_was_said_before():
    talk = greeted().feed(b"STARTTLS\r\n")
    talk.machine.forget()
    assert talk.machine.state is State.START
    assert talk.feed(b"MAIL FROM:<>\r\n").codes[-1] == 503


@pytest.mark.row(9)
@pytest.mark.parametrize(
    "first",
    [b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.0\r\n", b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n", b"\0\0\0\0"],
)
def test_other_protocols_are_refused_at_their_first_bytes(first):
    """Row 9: a browser, TLS or SSH on the mail port gets 421 and the end."""
    talk = Talk().feed(first)
    assert talk.events == [Rejected(replies.OTHER_PROTOCOL, closes=True)]


@pytest.mark.row(11)
@pytest.mark.parametrize("octets", [2049, 4097, 65000])
def test_long_command_lines(octets):
    """Row 11: a line that is too long is one error; the next command works."""
    talk = greeted().feed(b"NOOP " + b"x" * octets + b"\r\n").feed(b"NOOP\r\n")
    assert talk.codes == [500, 250]


@pytest.mark.row(11)
def test_endless_line_is_cut_off():
    """Row 11: without a line end the connection ends at 64 kB, and nothing of it was kept."""
    talk = greeted()
    for _ in range(100):
        talk.feed(b"x" * 16384)
        assert len(talk.machine._buffer) <= 16384 + 2048
    assert talk.closed
    assert talk.codes == [500]


@pytest.mark.row(12)
@pytest.mark.parametrize(
    ("value", "event"),
    [
        (b"SIZE=-1", 501), (b"SIZE=abc", 501), (b"SIZE", 501), (b"SIZE=", 501),
        (b"SIZE=" + b"9" * 31, 10**20), (b"SIZE=" + b"1" * 900, 10**20), (b"SIZE=12", 12),
    ],
)  # fmt: skip
def test_declared_sizes(value, event):
    """Row 12: any number is read without pain, and what is none is refused."""
    [found] = greeted().feed(b"MAIL FROM:<ann@example.org> " + value + b"\r\n").events
    assert (found.reply.code if isinstance(found, Rejected) else found.size) == event


@pytest.mark.row(16)
@pytest.mark.parametrize(
    "path",
    [
        b"<a\0b@example.org>", b"<a\x01@example.org>", b"<a\x7f@example.org>",
        b'<"a@example.org>', b"<a b@example.org>",
        b"<" + b"a" * 65 + b"@example.org>", b"<a@" + b"b." * 127 + b"example>",
        b"<" + b"a" * 60 + b"@" + b".".join([b"b" * 63] * 4) + b">",
        b"<\xff\xfe@example.org>", "<änn@example.org>".encode(), b"ann@example.org", b"<ann>", b"<ann@>",
        b"<@example.org>", b"<a@@example.org>",
    ],
)  # fmt: skip
def test_bad_senders(path):
    """Row 16: 501 5.1.7 or 553 5.6.7, and no transaction begins."""
    talk = greeted().feed(b"MAIL FROM:" + path + b"\r\n")
    [event] = talk.events
    assert (event.reply.code, event.reply.enhanced) in ((501, "5.1.7"), (553, "5.6.7"))
    assert not talk.machine.in_transaction


@pytest.mark.row(17)
def test_bdat_out_of_order_swallows_its_octets():
    """Row 17: the octets of a refused chunk are never commands."""
    talk = greeted().feed(b"BDAT 22\r\nMAIL FROM:<>\r\nQUIT\r\nxxQUIT\r\n")
    assert talk.codes == [503, 221]
    assert talk.body == b""


@pytest.mark.row(17)
@pytest.mark.parametrize("argument", [b"", b"x", b"-1", b"1 FIRST", b"1 LAST x"])
def test_bdat_that_cannot_be_read_ends_the_connection(argument):
    """Row 17: where the chunk ends is unknown, so nothing after it may be read."""
    talk = in_state(State.RCPT).feed(b"BDAT " + argument + b"\r\nQUIT\r\n")
    assert talk.codes == [501]
    assert talk.closed


@pytest.mark.row(17)
def test_bdat_of_any_size():
    """Row 17: empty chunks, a huge one, one byte at a time, and commands in between."""
    talk = in_state(State.RCPT).feed(b"BDAT 0\r\nBDAT 3\r\nabcBDAT 2 LAST\r\nde")
    assert talk.body == b"abcde"
    assert talk.machine.state is State.READY
    assert in_state(State.RCPT).feed(b"BDAT 99999999999999999999\r\nx").closed
    talk = in_state(State.RCPT).feed(b"BDAT 1\r\nx" * 1500)
    assert talk.codes[:1000] == [250] * 1000
    assert set(talk.codes[1001:]) == {503}
    assert len(talk.body) == 1000
    assert not talk.machine.in_transaction


@pytest.mark.row(17)
@pytest.mark.row(18)
def test_states_after_chunks():
    """Rows 17 and 18: DATA or a recipient after BDAT, BDAT after LAST, RSET in between."""
    assert in_state(State.CHUNKS).feed(b"DATA\r\n").codes == [503]
    assert in_state(State.CHUNKS).feed(b"RCPT TO:<b@c.example>\r\n").codes == [503]
    assert in_state(State.CHUNKS).feed(b"BDAT 1 LAST\r\nxBDAT 1 LAST\r\nx").codes == [250, 503]
    assert in_state(State.CHUNKS).feed(b"RSET\r\nBDAT 1 LAST\r\nx").codes == [250, 503]


@pytest.mark.row(18)
@pytest.mark.parametrize(
    "after", [b"RSET\r\n", b"EHLO again.example\r\n", b"DATA\r\n.\r\n", b"BDAT 0 LAST\r\n"]
)
def test_no_state_survives_the_end_of_a_transaction(after):
    """Row 18: after its end, however it ended, nothing of a transaction is left."""
    talk = in_state(State.RCPT)
    for line in after.splitlines(keepends=True):
        talk.feed(line)
    talk.said = b""
    assert talk.feed(b"DATA\r\n").codes == [503]
    assert talk.feed(b"RCPT TO:<bob@example.org>\r\n").codes == [503, 503]


@pytest.mark.row(18)
def test_negative_answer_to_the_end_of_data_ends_the_transaction():
    """Row 18: a message that is refused leaves nothing behind."""
    machine = SMTPServer()
    machine.receive_data(b"EHLO a\r\n")
    machine.next_event()
    machine.answer(replies.OK)
    machine.receive_data(b"MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
    for reply in (replies.OK, replies.OK, replies.START_DATA):
        machine.next_event()
        machine.answer(reply)
    machine.receive_data(b"x\r\n.\r\nRCPT TO:<bob@example.org>\r\n")
    assert machine.next_event() == BodyPiece(b"x\r\n")
    assert machine.next_event() == BodyEnd(None)
    assert machine.in_transaction
    machine.answer(replies.NO_STORAGE)
    assert not machine.in_transaction
    assert machine.next_event() == Rejected(replies.BAD_SEQUENCE)


@pytest.mark.row(19)
def test_synchronisation_points():
    """Row 19: groups are taken in order; what stands behind a command that must be waited for is refused."""
    talk = Talk().feed(b"EHLO a\r\nMAIL FROM:<>\r\n")
    assert talk.events == [Rejected(replies.UNAUTHORISED_PIPELINING, closes=True)]
    talk = greeted().feed(b"MAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
    assert talk.codes == [250, 250, 354]
    talk = in_state(State.RCPT).feed(b"DATA\r\nSubject: x\r\n")
    assert talk.events == [Rejected(replies.UNAUTHORISED_PIPELINING, closes=True)]
    talk = greeted().feed(b"AUTH PLAIN\r\nAGEAYg==\r\n")
    assert talk.events == [Rejected(replies.UNAUTHORISED_PIPELINING, closes=True)]


@pytest.mark.row(20)
def test_inside_auth():
    """Row 20: a response is no command, however long; a line too long ends the exchange."""
    talk = greeted().feed(b"AUTH PLAIN\r\n").feed(b"QUIT\r\n")
    assert talk.events == [Auth("PLAIN", None), LoginResponse(b"QUIT")]
    assert talk.feed(b"NOOP\r\n").events[-1] == Noop()
    talk = greeted().feed(b"AUTH PLAIN\r\n").feed(b"x" * 20000 + b"\r\n")
    assert talk.codes == [334, 500]
    assert talk.feed(b"NOOP\r\n").events[-1] == Noop()
    assert in_state(State.MAIL).feed(b"AUTH PLAIN\r\n").codes == [503]


def test_lmtp_greets_with_lhlo_only():
    talk = Talk(lmtp=True).feed(b"EHLO a\r\n").feed(b"HELO a\r\n").feed(b"LHLO a\r\n")
    assert talk.codes == [500, 500, 250]


def test_lmtp_answers_each_recipient():
    machine = SMTPServer(lmtp=True)
    machine.state = State.DATA
    machine.receive_data(b"x\r\n.\r\n")
    machine.next_event()
    machine.next_event()
    assert machine.answer_each([replies.OK, replies.NO_STORAGE]).count(b"\r\n") == 2
    assert machine.state is State.READY


def test_message_of_bare_ends_is_told():
    talk = in_state(State.RCPT).feed(b"DATA\r\n")
    talk.feed(b"a\nb\r\n.\r\n")
    assert talk.events[-1] == BodyEnd(DataFault.BARE)


_LINES = st.sampled_from(
    [b"EHLO a", b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@d.example>", b"DATA", b"BDAT 3", b"BDAT 4 LAST",
     b"abc", b".", b"QUIT", b"RSET", b"AUTH PLAIN", b"\xff\0", b"x" * 3000, b"a\nb", b"..", b"STARTTLS x"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(_LINES, max_size=25), st.integers(1, 60))
def test_body_does_not_depend_on_the_split(lines, step):
    """Only what must be waited for may differ: those commands are sent alone here, as clients do."""
    whole, pieces = Talk(), Talk()
    for line in lines:
        data = line + b"\r\n"
        if not whole.closed:
            whole.feed(data)
        for at in range(0, len(data), step):
            if not pieces.closed:
                pieces.feed(data[at : at + step])
    assert (whole.said, whole.body, whole.machine.state) == (pieces.said, pieces.body, pieces.machine.state)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_answered_without_an_exception(data):
    talk = Talk().feed(b"EHLO a\r\n")
    for line in data.split(b"\x01"):
        if not talk.closed:
            talk.feed(line + b"\r\n")


def test_chunk_end_says_whether_it_was_the_last():
    talk = in_state(State.RCPT).feed(b"BDAT 1\r\nxBDAT 1 LAST\r\ny")
    assert [event for event in talk.events if isinstance(event, ChunkEnd)] == [
        ChunkEnd(False),
        ChunkEnd(True),
    ]
