"""The POP3 machine: what a stranger may send, and what comes of it, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.pop3 import commands, responses
from mailsys.wire.pop3.capabilities import Terms, capabilities
from mailsys.wire.pop3.commands import COMMANDS, LARGEST_NUMBER, State
from mailsys.wire.pop3.responses import Response
from mailsys.wire.pop3.server import MOST_REJECTED, POP3Server, Rejected, SaslLine

OPEN = Terms(stls=True, mechanisms=("PLAIN",))


def machine(state=State.AUTHORIZATION, terms=OPEN):
    server = POP3Server(terms)
    if state is State.TRANSACTION:
        server.logged_in()
    return server


def events_of(server, pieces):
    """All events, up to the first fatal one."""
    found = []
    for piece in pieces:
        server.receive_data(piece)
        while (event := server.next_event()) is not None:
            found.append(event)
            if isinstance(event, Rejected) and event.closes:
                return found
    return found


def one(line, state=State.AUTHORIZATION, terms=OPEN):
    (event,) = events_of(machine(state, terms), [line + b"\r\n"])
    return event


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"USER ann", commands.User("ann")),
        (b"user  ann@example.org ", commands.User("ann@example.org")),
        ("USER jörg".encode(), commands.User("jörg")),
        (b"PASS  two  words ", commands.Pass(" two  words ")),
        (b"AUTH", commands.Auth("")),
        (b"auth plain", commands.Auth("PLAIN")),
        (b"AUTH PLAIN =", commands.Auth("PLAIN", b"=")),
        (b"STLS", commands.Stls()),
        (b"UTF8", commands.Utf8()),
        (b"CAPA ", commands.Capa()),
        (b"QUIT", commands.Quit()),
    ],
)
def test_commands_before_login(line, expected):
    assert one(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"STAT", commands.Stat()),
        (b"LIST", commands.List(None)),
        (b"LIST ", commands.List(None)),
        (b"LIST 7", commands.List(7)),
        (b"UIDL", commands.Uidl(None)),
        (b"uidl 1", commands.Uidl(1)),
        (b"RETR 2147483648", commands.Retr(LARGEST_NUMBER)),
        (b"TOP 1 0", commands.Top(1, 0)),
        (b"DELE 0000000012", commands.Dele(12)),
        (b"RSET", commands.Rset()),
        (b"NOOP", commands.Noop()),
        (b"CAPA", commands.Capa()),
        (b"QUIT", commands.Quit()),
    ],
)
def test_commands_after_login(line, expected):
    assert one(line, State.TRANSACTION) == expected


@pytest.mark.parametrize("word", sorted(COMMANDS))
@pytest.mark.parametrize("state", [State.AUTHORIZATION, State.TRANSACTION])
def test_the_table_of_states_is_kept(word, state):
    event = one(word + b" 1 1", state)
    out_of_place = {responses.LOG_IN_FIRST, responses.ALREADY_LOGGED_IN}
    is_refused = isinstance(event, Rejected) and event.response in out_of_place
    assert is_refused == (state not in COMMANDS[word].states)


@pytest.mark.parametrize("word", [b"RETR", b"DELE", b"LIST", b"UIDL", b"TOP"])
@pytest.mark.parametrize(
    "number", [b"0", b"-1", b"+1", b"1.0", b"1e3", b"0x1", b"2147483649", b"9" * 21, b"9" * 480, b"\xd9\xa1"]
)
@pytest.mark.row(65)
@pytest.mark.row(66)
def test_numbers_are_bounded(word, number):
    """Rows 65 and 66: a number of any length is refused, and int() never sees a long one."""
    arguments = number + b" 0" if word == b"TOP" else number
    assert one(word + b" " + arguments, State.TRANSACTION) == Rejected(responses.BAD_NUMBER)


@pytest.mark.parametrize("line", [b"USER ann", b"PASS secret", b"AUTH PLAIN AGEAYg==", b"AUTH"])
@pytest.mark.row(20)
def test_no_password_where_it_could_be_overheard(line):
    """Row 20: AUTH without TLS where plain text is not allowed."""
    assert one(line, terms=Terms(stls=True, mechanisms=())) == Rejected(responses.NEEDS_TLS)


@pytest.mark.row(5)
def test_bytes_behind_stls_end_the_connection():
    """Row 5: a command in the clear behind STLS is never taken for one inside TLS."""
    server = machine()
    assert events_of(server, [b"STLS\r\nUSER ann\r\n"]) == [Rejected(responses.BEFORE_TLS, closes=True)]
    assert events_of(machine(), [b"STLS\r\nU"]) == [Rejected(responses.BEFORE_TLS, closes=True)]
    assert events_of(machine(), [b"STLS\r\n"]) == [commands.Stls()]


@pytest.mark.row(6)
def test_stls_where_it_has_no_place():
    """Row 6: inside TLS, with an argument, after login."""
    assert one(b"STLS", terms=Terms(stls=False, mechanisms=("PLAIN",))) == Rejected(responses.NO_TLS_HERE)
    assert one(b"STLS now") == Rejected(responses.SYNTAX_ERROR)
    assert one(b"STLS", State.TRANSACTION) == Rejected(responses.ALREADY_LOGGED_IN)


@pytest.mark.parametrize("octets", [513, 4097, 65536])
@pytest.mark.row(11)
def test_a_long_line_is_refused_and_the_next_is_served(octets):
    """Row 11: up to 64 kB are thrown away, then the next command is served."""
    line = b"USER ".ljust(octets - 2, b"x") + b"\r\n"
    for pieces in ([line + b"QUIT\r\n"], [line[:100], line[100:600], line[600:], b"QUIT\r\n"]):
        assert events_of(machine(), pieces) == [Rejected(responses.LINE_TOO_LONG), commands.Quit()]


def test_the_longest_line():
    assert one(b"USER ".ljust(510, b"x")) == commands.User("x" * 505)


@pytest.mark.row(11)
def test_an_endless_line_ends_the_connection():
    """Row 11: without CRLF at 64 kB, with it at 70,000 octets, whole or in pieces."""
    fatal = [Rejected(responses.LINE_TOO_LONG, closes=True)]
    assert events_of(machine(), [b"x" * 1000] * 10_000) == fatal
    assert events_of(machine(), [b"x" * 70_000 + b"\r\n"]) == fatal
    assert events_of(machine(), [b"x" * 7_000] * 10 + [b"\r\n"]) == fatal


@pytest.mark.parametrize(
    "talk",
    [b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.0\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01\x02\x00\x01", b"\0\0\0"],
)
@pytest.mark.row(9)
def test_other_protocols(talk):
    """Row 9: refused at the first bytes, whole and octet by octet."""
    fatal = [Rejected(responses.OTHER_PROTOCOL, closes=True)]
    assert events_of(machine(), [talk]) == fatal
    assert events_of(machine(), [bytes([octet]) for octet in talk]) == fatal


def test_a_peer_that_only_errs_must_go():
    found = events_of(machine(), [b"NONSENSE\r\n" * 100])
    assert found[:-1] == [Rejected(responses.UNKNOWN_COMMAND)] * MOST_REJECTED
    assert found[-1] == Rejected(responses.TOO_MANY_ERRORS, closes=True)


@pytest.mark.row(20)
def test_a_response_may_be_long_but_not_endless():
    """Row 20: 12288 octets are taken; 100 kB are not, and the state is as before AUTH."""
    server = machine()
    assert server.challenge(b"VXNlcm5hbWU6") == b"+ VXNlcm5hbWU6\r\n"
    assert server.state is State.AUTHENTICATION
    assert events_of(server, [b"A" * 12286 + b"\r\nCAPA\r\n"]) == [SaslLine(b"A" * 12286), commands.Capa()]
    server.challenge(b"")
    assert events_of(server, [b"A" * 12287 + b"\r\nCAPA\r\n"]) == [
        Rejected(responses.LINE_TOO_LONG),
        commands.Capa(),
    ]
    server.challenge(b"")
    assert events_of(server, [b"A" * 100_000]) == [Rejected(responses.LINE_TOO_LONG, closes=True)]


def test_a_response_with_a_bare_line_end_is_refused():
    server = machine()
    server.challenge(b"")
    assert events_of(server, [b"AA\nAA\r\n"]) == [Rejected(responses.BARE_LINE_END)]
    assert server.state is State.AUTHORIZATION


def test_nothing_is_read_after_quit():
    assert events_of(machine(State.TRANSACTION), [b"QUIT\r\nDELE 1\r\n" + b"x" * 100_000]) == [
        commands.Quit()
    ]


def test_stls_is_announced_only_where_it_can_be_said():
    server = machine()
    assert "STLS" in capabilities(server.terms)
    server.logged_in()
    assert "STLS" not in capabilities(server.terms)


@pytest.mark.row(62)
def test_no_password_in_any_repr():
    """Row 62: what may land in a log does not show a password."""
    for event in (one(b"PASS c2VjcmV0"), one(b"AUTH PLAIN c2VjcmV0"), SaslLine(b"c2VjcmV0")):
        assert "c2VjcmV0" not in repr(event)


def test_every_response_fits_into_a_line():
    """RFC 2449 4: 512 octets, and a response code only where RFC 2449 8 or RFC 3206 names it."""
    named = [value for value in vars(responses).values() if isinstance(value, Response)]
    assert len(named) > 20
    for response in named:
        assert len(response.render()) < 512
        assert response.render().startswith(b"+OK " if response.is_positive else b"-ERR ")
        assert response.code in ("", "AUTH", "IN-USE", "SYS/TEMP")


talk = st.lists(
    st.one_of(
        st.sampled_from(
            [word + end for word in COMMANDS for end in (b"\r\n", b" 1\r\n", b" 1 1\r\n", b"\n")]
        ),
        st.binary(max_size=20),
        st.sampled_from([b"\r\n", b"x" * 600]),
    ),
    max_size=12,
).map(b"".join)


@given(talk, st.integers(1, 50), st.booleans())
def test_events_do_not_depend_on_the_split(data, step, logged_in):
    # What STLS means depends on what came with it: see the tests of row 5.
    data = data.replace(b"STLS", b"STAT")
    state = State.TRANSACTION if logged_in else State.AUTHORIZATION
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    assert events_of(machine(state), pieces) == events_of(machine(state), [data])
