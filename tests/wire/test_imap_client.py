"""The IMAP client machine: dialogs with servers as they should be, and with those that are not."""

import pytest

from mailsys.wire.imap import client_commands as commands
from mailsys.wire.imap.client import IMAPClient, State
from mailsys.wire.imap.client_events import (
    Answered,
    Broken,
    Challenged,
    Idling,
    LoggedIn,
    Ready,
    Refused,
    Stopped,
    TLSMayBegin,
    Told,
)
from mailsys.wire.imap.client_reader import LITERAL_OCTETS, TEXT_OCTETS
from mailsys.wire.imap.client_responses import (
    Exists,
    Expunged,
    Fetched,
    FolderStatus,
    Kind,
    Listed,
    Other,
    Searched,
    Status,
)
from mailsys.wire.sasl.client import Login, LoginExchange, PlainExchange

ANN = Login("ann", "pass word")
GREETING = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] mail.example\r\n"


class Client:
    """A machine whose events are kept; ``said`` is what it sent since the last look."""

    def __init__(self, *heard, **settings):
        self.machine = IMAPClient(**settings)
        self.events = []
        self.hear(*heard)

    def hear(self, *pieces):
        for piece in pieces:
            self.machine.receive_data(piece)
            while (event := self.machine.next_event()) is not None:
                self.events.append(event)
        return self

    @property
    def said(self):
        return self.machine.data_to_send()

    @property
    def last(self):
        return self.events[-1]

    def new(self, *pieces):
        """The events that these bring."""
        self.events.clear()
        return self.hear(*pieces).events


def logged_in(capabilities=b"IMAP4rev1"):
    """A client that may run commands."""
    client = Client(b"* PREAUTH [CAPABILITY " + capabilities + b"] hello\r\n", is_secure=True)
    assert client.last == Ready(frozenset(capabilities.decode().upper().split()), is_logged_in=True)
    return client


def test_capabilities_are_asked_for_where_the_greeting_does_not_tell():
    client = Client(b"* OK hello\r\n")
    assert (client.said, client.events) == (b"a1 CAPABILITY\r\n", [])
    client.hear(b"* CAPABILITY IMAP4rev1 Starttls\r\na1 OK\r\n")
    assert client.events == [Ready(frozenset({"IMAP4REV1", "STARTTLS"}))]
    assert Client(GREETING).last == Ready(frozenset({"IMAP4REV1", "SASL-IR", "AUTH=PLAIN"}))


def test_start_tls_forgets_what_was_said_before():
    client = Client(GREETING)
    client.machine.start_tls()
    assert client.said == b"a1 STARTTLS\r\n"
    assert client.new(b"a1 OK begin\r\n") == [TLSMayBegin()]
    client.machine.tls_started()
    assert (client.said, client.machine.capabilities) == (b"a2 CAPABILITY\r\n", frozenset())
    assert client.new(b"* CAPABILITY IMAP4rev1\r\na2 OK done\r\n") == [Ready(frozenset({"IMAP4REV1"}))]
    client.machine.log_in(PlainExchange(ANN))
    assert client.said == b"a3 AUTHENTICATE PLAIN\r\n"


def test_what_comes_behind_the_yes_to_start_tls_is_not_taken_into_tls():
    client = Client(GREETING)
    client.machine.start_tls()
    client.hear(b"a1 OK begin\r\n* OK injected\r\n")
    assert client.last == Broken("sent more than the answer to STARTTLS before TLS began")


def test_no_password_leaves_without_tls():
    for log_in in (IMAPClient.log_in, IMAPClient.log_in_plainly):
        client = Client(GREETING)
        with pytest.raises(ValueError, match="without TLS"):
            log_in(client.machine, PlainExchange(ANN) if log_in is IMAPClient.log_in else ANN)
        assert client.said == b""


def test_a_login_with_the_initial_response_in_its_line():
    client = Client(GREETING, is_secure=True)
    client.machine.log_in(PlainExchange(ANN))
    assert client.said == b"a1 AUTHENTICATE PLAIN AGFubgBwYXNzIHdvcmQ=\r\n"
    assert client.new(b"a1 OK [CAPABILITY IMAP4rev1 IDLE] welcome\r\n") == [
        LoggedIn(frozenset({"IMAP4REV1", "IDLE"}))
    ]


def test_a_login_step_by_step_and_what_the_server_can_do_then():
    client = Client(b"* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN] hello\r\n", is_secure=True)
    exchange = LoginExchange(ANN)
    client.machine.log_in(exchange)
    assert client.said == b"a1 AUTHENTICATE LOGIN\r\n"
    assert client.new(b"+ VXNlcg==\r\n") == [Challenged(b"User")]
    client.machine.respond(exchange.respond(b"User"))
    assert client.new(b"+ no base64!\r\n") == [Challenged(None)]
    client.machine.respond(exchange.respond(None))
    assert client.said == b"YW5u\r\ncGFzcyB3b3Jk\r\n"
    assert client.new(b"a1 OK\r\n") == []
    assert client.said == b"a2 CAPABILITY\r\n"
    assert client.new(b"* CAPABILITY IMAP4rev1\r\na2 OK\r\n") == [LoggedIn(frozenset({"IMAP4REV1"}))]


def test_a_login_that_is_given_up_and_one_that_is_refused():
    client = Client(GREETING, is_secure=True)
    client.machine.log_in(LoginExchange(ANN))
    client.hear(b"+ \r\n")
    client.machine.give_up()
    assert client.said.endswith(b"*\r\n")
    refused = client.new(b"a1 NO [AUTHENTICATIONFAILED] go away\r\n")
    status = Status(Kind.NO, "go away", "AUTHENTICATIONFAILED", tag="a1")
    assert refused == [Refused("AUTHENTICATE", status)]
    assert client.machine.state is State.READY


@pytest.mark.parametrize(
    ("name", "line"),
    [("ann", b'a1 LOGIN "ann" "pass word"\r\n'), ('a"b\\', b'a1 LOGIN "a\\"b\\\\" "pass word"\r\n')],
)
def test_login_quotes(name, line):
    client = Client(GREETING)
    client.machine.log_in_plainly(Login(name, "pass word"), in_clear=True)
    assert client.said == line


def test_a_literal_waits_until_the_server_wants_it():
    client = Client(GREETING, is_secure=True)
    client.machine.log_in_plainly(Login("änn", "a\r\nb"))
    assert client.said == b"a1 LOGIN {4}\r\n"
    assert client.new(b"+ go on\r\n") == []
    assert client.said == b"\xc3\xa4nn {4}\r\n"
    client.hear(b"+ go on\r\n")
    assert client.said == b"a\r\nb\r\n"


def test_a_literal_that_is_refused_does_not_leave():
    client = logged_in()
    client.machine.run(commands.append("INBOX", [r"\Seen"], b"too large"))
    assert client.said == b"a1 APPEND INBOX (\\Seen) {9}\r\n"
    assert isinstance(client.new(b"a1 NO [TOOBIG] no\r\n")[0], Refused)
    client.machine.run(commands.simple("NOOP"))
    assert client.said == b"a2 NOOP\r\n"


@pytest.mark.parametrize(
    ("capability", "octets", "waits"),
    [(b"LITERAL+", 5000, False), (b"LITERAL-", 4096, False), (b"LITERAL-", 4097, True), (b"IDLE", 1, True)],
)
def test_literals_that_need_not_wait(capability, octets, waits):
    client = logged_in(capability)
    client.machine.run(commands.append("INBOX", [], b"x" * octets))
    said = client.said
    assert said.endswith(b"{%d}\r\n" % octets) if waits else b"{%d+}\r\n" % octets in said


def test_commands_as_they_go_over_the_wire():
    for command, line in [
        (commands.select("Entwürfe & mehr"), b'SELECT "Entw&APw-rfe &- mehr"'),
        (commands.select("a\r\nb", read_only=True), b"EXAMINE a&AA0ACg-b"),
        (commands.list_folders(), b'LIST "" "*"'),
        (commands.folder_status("INBOX", ["MESSAGES", "UNSEEN"]), b"STATUS INBOX (MESSAGES UNSEEN)"),
        (commands.fetch("1:5", ["UID", "FLAGS"]), b"FETCH 1:5 (UID FLAGS)"),
        (commands.store("7", "+FLAGS", [r"\Deleted"], by_uid=True), b"UID STORE 7 +FLAGS (\\Deleted)"),
    ]:
        assert command.render("a1", ()) == [b"a1 " + line + b"\r\n"]


def test_no_command_can_be_two():
    with pytest.raises(ValueError, match="control characters"):
        commands.fetch("1\r\na2 LOGOUT", ["FLAGS"])
    with pytest.raises(ValueError, match="control characters"):
        commands.store("1", "FLAGS", ["x\ny"])
    with pytest.raises(ValueError, match="NUL"):
        commands.login("a\0b", "c")


def test_data_of_all_kinds():
    client = logged_in()
    events = client.new(
        b"* 3 EXISTS\r\n* 2 EXPUNGE\r\n* 0 RECENT\r\n",
        b'* LIST (\\HasNoChildren \\Sent) "/" "Sent &- gone"\r\n* LIST () NIL {5}\r\nG&-"H\r\n',
        b'* STATUS "In" (MESSAGES 4 UNSEEN 1 MAILBOXID ("x"))\r\n',
        b"* SEARCH 1 5 99 (MODSEQ 7)\r\n* SEARCH\r\n* FLAGS (\\Seen)\r\n* NEW thing {2}\r\n()\r\n",
        b"* OK [ALERT] the disk is full\r\n",
    )
    assert events == [
        Exists(3),
        Expunged(2),
        Other("RECENT", (b"0",)),
        Listed("Sent & gone", "/", frozenset({"\\hasnochildren", "\\sent"})),
        Listed('G&"H', "", frozenset()),
        FolderStatus("In", {"MESSAGES": 4, "UNSEEN": 1}),
        Searched((1, 5, 99)),
        Searched(()),
        Other("FLAGS", [[b"\\Seen"]]),
        Other("NEW", [b"thing", b"()"]),
        Told(Status(Kind.OK, "the disk is full", "ALERT")),
    ]


def test_fetched_data_with_literals_lists_and_sections():
    client = logged_in()
    client.machine.run(commands.fetch("1", ["UID"]))
    client.new(
        b'* 1 FETCH (UID 7 FLAGS (\\Seen $Junk) BODY[HEADER.FIELDS (FROM "X")]<0> {8}\r\nFrom)(\r\n',
        b' ENVELOPE (NIL "a \\"b\\" c" ((NIL NIL "x" "y"))) body[] ~{0}\r\n)\r\n',
    )
    assert client.last == Fetched(
        1,
        {
            "UID": b"7",
            "FLAGS": [b"\\Seen", b"$Junk"],
            'BODY[HEADER.FIELDS (FROM "X")]<0>': b"From)(\r\n",
            "ENVELOPE": [None, b'a "b" c', [[None, None, b"x", b"y"]]],
            "BODY[]": b"",
        },
    )
    assert client.new(b"a1 OK [READ-WRITE] done\r\n") == [
        Answered(Status(Kind.OK, "done", "READ-WRITE", tag="a1"))
    ]


def test_the_same_octet_by_octet():
    talk = GREETING + b'* 1 FETCH (BODY[] {6}\r\n\r\n)\r\n{ UID 4)\r\n* LIST () "/" a\r\n* BYE so long\r\n'
    whole = Client(talk)
    assert Client(*(bytes([octet]) for octet in talk)).events == whole.events
    assert whole.events[1] == Fetched(1, {"BODY[]": b"\r\n)\r\n{", "UID": b"4"})


def test_idle():
    client = logged_in()
    client.machine.idle()
    assert client.new(b"+ idling\r\n", b"* 9 EXISTS\r\n") == [Idling(), Exists(9)]
    client.machine.end_idle()
    assert client.said == b"a1 IDLE\r\nDONE\r\n"
    assert client.new(b"a1 OK done\r\n") == [Answered(Status(Kind.OK, "done", tag="a1"))]


def test_log_out_and_goodbyes():
    client = logged_in()
    client.machine.log_out()
    assert client.said == b"a1 LOGOUT\r\n"
    assert client.new(b"* BYE\r\na1 OK\r\n") == []
    assert Client(b"* BYE too many\r\n").events == [Stopped(Status(Kind.BYE, "too many"))]


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (b"+ hello\r\n", "began without a greeting"),
        (b"* CAPABILITY IMAP4rev1\r\n", "began without a greeting"),
        (b"* NO hello\r\n", "began without a greeting"),
        (b"a1 OK hello\r\n", "began without a greeting"),
        (b"220 mail.example ESMTP\r\n", "sent a line that is no response"),
        (b"\r\n", "sent a line that is no response"),
        (b"* OK a\rb\r\n", "sent a line with a CR, an LF or a NUL within"),
        (GREETING + b"+ more\r\n", "asked for more though all was said"),
        (GREETING + b"a0 OK\r\n", "answered what was not asked"),
        (GREETING + b"* 1 FETCH\r\n", "sent FETCH without its list"),
        (GREETING + b"* 1 FETCH (UID)\r\n", "sent a name without its value"),
        (GREETING + b"* 1 FETCH (UID 1\r\n", "sent a list that does not end"),
        (GREETING + b"* LIST )\r\n", "sent the end of a list that has no beginning"),
        (GREETING + b'* LIST "\r\n', "sent what is no IMAP"),
        (GREETING + b"* LIST ()\r\n", "sent LIST without what belongs to it"),
        (GREETING + b"* STATUS a\r\n", "sent STATUS without what belongs to it"),
        (GREETING + b"* SEARCH x\r\n", "sent a word where a number belongs"),
        (GREETING + b"* 9999999999999999999 EXISTS\r\n", "sent a word where a number belongs"),
        (GREETING + b"* LIST " + b"(" * 200 + b"\r\n", "sent lists within one another, more than 100 deep"),
        (GREETING + b"* X " + b"(" * 10**6 + b"\r\n", "sent lists within one another, more than 100 deep"),
        (GREETING + b"* X " + b"a " * 400_001 + b"\r\n", "sent a response with more than 400,000 values"),
        (b"* OK [CAPABILITY " + b"A " * 1001 + b"] a\r\n", "announced more than 1000 capabilities"),
        (b"x" * (TEXT_OCTETS + 1), f"sent a response with more than {TEXT_OCTETS:,} octets of text"),
        (
            GREETING + b"* 1 FETCH (BODY[] {%d}\r\n" % (LITERAL_OCTETS + 1),
            f"sent a response with more than {LITERAL_OCTETS:,} octets of literals",
        ),
        (GREETING + b"* X {0}\r\n" * 10_002, "sent a response with more than 10,000 literals"),
    ],
)
def test_a_server_that_does_not_keep_the_protocol(heard, why):
    client = Client(heard)
    assert client.last == Broken(why)
    assert client.machine.state is State.ENDED
    assert client.new(b"* OK more\r\n") == []


def test_a_yes_to_half_a_command_and_an_answer_without_capabilities():
    client = logged_in()
    client.machine.run(commands.append("INBOX", [], b"x"))
    assert client.new(b"a1 OK taken\r\n") == [Broken("said yes to half a command")]
    assert Client(b"* OK hello\r\n", b"a1 OK\r\n").last == Broken("did not tell what it can do")


def test_words_of_a_server_are_cut():
    client = Client(b"* BYE " + b"\xc3\xa4" * 10_000 + b"\r\n")
    assert client.last.status.text == "ä" * 500
