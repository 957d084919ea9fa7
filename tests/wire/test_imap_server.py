"""The machine alone: what it makes of bytes, however they are cut, and what it refuses to hold."""

import pytest

from mailsys.wire.imap import responses
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
from mailsys.wire.imap.folder_commands import TOO_LONG, Create, Known, List, Select, Status
from mailsys.wire.imap.server import (
    BEFORE_LOGIN_OCTETS,
    CONTINUE,
    MOST_REJECTED,
    SKIPPED_OCTETS,
    SWALLOWED_OCTETS,
    IMAPServer,
)
from mailsys.wire.imap.session_commands import Authenticate, Enable, Id, Idle, Login, Logout, Noop, Starttls

TERMS = Terms(starttls=True, mechanisms=("PLAIN",))


class Talk:
    """A machine and a driver who lets everything come."""

    def __init__(self, state=State.NOT_AUTHENTICATED, terms=TERMS):
        self.machine = IMAPServer(terms)
        if state is not State.NOT_AUTHENTICATED:
            self.machine.logged_in()
            self.machine.select(state is State.SELECTED)
        self.story = []

    def feed(self, data):
        self.machine.receive_data(data)
        while (event := self.machine.next_event()) is not None:
            match event:
                case Octets(more) if self.story and isinstance(self.story[-1], Octets):
                    self.story[-1] = Octets(self.story[-1].data + more)
                case _:
                    self.story.append(event)
            if isinstance(event, LiteralStarts):
                self.story.append(self.machine.accept_literal())
            if isinstance(event, Rejected) and event.closes:
                return
        return


def story(data, state=State.NOT_AUTHENTICATED, terms=TERMS, utf8=False):
    """What is said, when it comes whole; the same must be said when it comes octet by octet."""
    whole, slow = Talk(state, terms), Talk(state, terms)
    whole.machine.utf8 = slow.machine.utf8 = utf8
    whole.feed(data)
    for octet in data:
        if slow.story and isinstance(slow.story[-1], Rejected) and slow.story[-1].closes:
            break
        slow.feed(bytes([octet]))
    assert whole.story == slow.story
    return whole.story


def command(text, state=State.SELECTED, utf8=False):
    """The one command in a line."""
    [event] = story(b"t " + text + b"\r\n", state, utf8=utf8)
    assert isinstance(event, Request), event
    assert event.tag == "t"
    return event.command


def refusal(text, state=State.SELECTED):
    """The tagged response to a line that is no command."""
    [event] = story(b"t " + text + b"\r\n", state)
    assert isinstance(event, Rejected)
    assert event.tag == "t"
    return event.response


def test_commands_one_after_another():
    assert story(b"1 NOOP\r\n2 noop \r\n3 LOGOUT\r\n4 NOOP\r\n") == [
        Request("1", Noop()),
        Request("2", Noop()),
        Request("3", Logout()),
    ]


@pytest.mark.parametrize(
    ("text", "name", "password"),
    [
        (b"LOGIN ann secret", "ann", "secret"),
        (b'LOGIN "a\\"n\\\\n" "s e"', 'a"n\\n', "s e"),
        (b'LOGIN ann ""', "ann", ""),
        (b"LOGIN {3+}\r\nann {4+}\r\nse\r\n", "ann", "se\r\n"),
        (b"LOGIN {6+}\r\n\xc3\xa4\xc3\xb6\xc3\xbc {0+}\r\n", "äöü", ""),
        (b"LOGIN a]n {1+}\r\n}", "a]n", "}"),
    ],
)
def test_login(text, name, password):
    assert command(text, State.NOT_AUTHENTICATED) == Login(name, password)


def test_a_literal_is_asked_for():
    assert story(b"a LOGIN {3}\r\nann {6}\r\nsecret\r\n") == [
        Proceed(),
        Proceed(),
        Request("a", Login("ann", "secret")),
    ]


def test_sasl():
    talk = Talk()
    talk.feed(b"a AUTHENTICATE plain\r\n")
    assert talk.story == [Request("a", Authenticate("PLAIN"))]
    assert talk.machine.challenge(b"") == b"+ \r\n"
    talk.feed(b"AGEAYg==\r\nb NOOP\r\n")
    assert talk.story[1:] == [SaslLine(b"AGEAYg=="), Request("b", Noop())]
    assert command(b"AUTHENTICATE PLAIN =", State.NOT_AUTHENTICATED) == Authenticate("PLAIN", b"=")


def test_id_and_enable():
    assert command(b"ID NIL") == Id()
    assert command(b'ID ("name" "a" "version" NIL)') == Id((("name", "a"), ("version", "")))
    assert command(b"ENABLE utf8=accept Condstore") == Enable(("UTF8=ACCEPT", "CONDSTORE"))
    assert refusal(b"ENABLE").kind == "BAD"
    assert refusal(b'ID ("name")').kind == "BAD"


@pytest.mark.parametrize(
    ("text", "response"),
    [
        (b"XYZZY", responses.UNKNOWN_COMMAND),
        (b"SELECT x", responses.LOG_IN_FIRST),
        (b"UID", responses.UNKNOWN_COMMAND),
        (b"UID NOOP", responses.UNKNOWN_COMMAND),
    ],
)
def test_what_cannot_be_said_before_login(text, response):
    assert refusal(text, State.NOT_AUTHENTICATED) == response


def test_a_folder_is_needed():
    assert refusal(b"FETCH 1 FLAGS", State.AUTHENTICATED) == responses.SELECT_FIRST
    assert refusal(b"LOGIN a b", State.AUTHENTICATED) == responses.SELECT_FIRST


def test_no_passwords_without_privacy():
    [event] = story(b"a LOGIN b {500000}\r\n", terms=Terms(starttls=True, mechanisms=()))
    assert event == Rejected("a", responses.NEEDS_TLS)


def test_lines_without_a_command():
    for line in (b"", b" NOOP", b"* NOOP", b"+ NOOP", b"\x80 NOOP"):
        assert story(line + b"\r\n") == [Rejected("", responses.NO_TAG)]
    assert story(b"a\r\n") == [Rejected("a", responses.NO_COMMAND)]


def test_bare_line_ends():
    assert story(b"a NOOP\nb NOOP\r\nc NOOP\r\n") == [
        Rejected("a", responses.BARE_LINE_END),
        Request("c", Noop()),
    ]


@pytest.mark.row(5)
def test_what_follows_starttls_is_never_a_command():
    assert story(b"a STARTTLS\r\n") == [Request("a", Starttls())]
    talk = Talk()
    talk.feed(b"a STARTTLS\r\nb NOOP\r\n")
    assert talk.story == [Rejected("", responses.BEFORE_TLS, closes=True)]
    assert story(b"a STARTTLS\r\n", terms=Terms(False, ())) == [Rejected("a", responses.NO_TLS_HERE)]


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"SSH-2.0-x\r\n"])
@pytest.mark.row(9)
def test_other_protocols(first):
    talk = Talk()
    talk.feed(first)
    assert talk.story == [Rejected("", responses.OTHER_PROTOCOL, closes=True)]


def test_idle():
    assert story(b"a IDLE\r\nDONE\r\nb NOOP\r\n", State.SELECTED) == [
        Request("a", Idle()),
        IdleEnds(),
        Request("b", Noop()),
    ]
    assert story(b"a IDLE\r\nb NOOP\r\nc NOOP\r\n", State.SELECTED) == [
        Request("a", Idle()),
        Rejected("", responses.NOT_ENDED_WITH_DONE),
        Request("c", Noop()),
    ]


# ------------------------------------------------------------------ names of folders


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"inbox", "INBOX"),
        (b"Inbox/Old", "INBOX/Old"),
        (b'"Tom &- Ann"', "Tom & Ann"),
        (b"Entw&APw-rfe", "Entwürfe"),
        (b"{9+}\r\nEntw\xc3\xbcrfe", "Entwürfe"),
        (b"u&Awg-", "ü"),
    ],
)
def test_names(text, name):
    assert command(b"SELECT " + text) == Select(name)


def test_names_in_utf8():
    assert command(b'SELECT "Entw\xc3\xbcrfe"', utf8=True) == Select("Entwürfe")
    assert command(b'SELECT "a&-b"', utf8=True) == Select("a&-b")
    assert refusal(b'SELECT "Entw\xc3\xbcrfe"').kind == "BAD"


@pytest.mark.row(49)
@pytest.mark.parametrize(
    "name", [b"&AOQ", b"&AGE-", b"{1+}\r\n\xff", b"{3+}\r\n\xed\xa0\x80", b"{2+}\r\n\xc0\xaf"]
)
def test_names_that_are_none(name):
    """Row 49: bad modified UTF-7, surrogates and overlong forms."""
    assert refusal(b"CREATE " + name) == responses.BAD_NAME


# ------------------------------------------------------------------ folders


def test_select_with_what_is_known():
    assert command(b"SELECT a (CONDSTORE)") == Select("a", condstore=True)
    assert command(b"EXAMINE a") == Select("a", read_only=True)
    found = command(b"SELECT a (QRESYNC (7 123 1:5,9 (1,2 3,4)))")
    assert found.condstore
    known = found.known
    assert (known.uid_validity, known.modseq) == (7, 123)
    assert known.uids.ranges == ((1, 5), (9, 9))
    assert known.numbers.ranges == ((1, 1), (2, 2))
    assert command(b"SELECT a (QRESYNC (7 123))").known == Known(7, 123)
    assert command(b"SELECT a (QRESYNC (7 123 (1 2)))").known.uids is None
    for text in (
        b"(QRESYNC (0 1))",
        b"(QRESYNC (1 0))",
        b"(QRESYNC (1 1 1:*))",
        b"(QRESYNC 1 1)",
        b"(X)",
        b"()x",
    ):
        assert refusal(b"SELECT a " + text).kind == "BAD"


def test_create():
    assert command(b"CREATE a/b/") == Create("a/b")
    assert command(b"CREATE a (USE (\\sent))") == Create("a", "\\Sent")
    assert refusal(b"CREATE a (USE (\\sent \\junk))").code == "USEATTR"
    assert refusal(b"CREATE a (USE (\\unheardof))").code == "USEATTR"


def test_list():
    assert command(b'LIST "" *') == List("", ("*",))
    assert command(b'LIST "" "%/%"') == List("", ("%/%",))
    assert command(b'LIST "" (a "b*")') == List("", ("a", "b*"), is_extended=True)
    found = command(b'LIST (SUBSCRIBED recursivematch) "" % RETURN (children STATUS (messages UIDNEXT))')
    assert found == List(
        "",
        ("%",),
        frozenset({"SUBSCRIBED", "RECURSIVEMATCH"}),
        frozenset({"CHILDREN", "STATUS"}),
        ("MESSAGES", "UIDNEXT"),
        is_extended=True,
    )
    for text in (b'LIST (X) "" *', b'LIST (RECURSIVEMATCH) "" *', b'LIST "" () ', b'LIST "" * RETURN (X)'):
        assert refusal(text).kind == "BAD"


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "text",
    [b'LIST "" ("*a*a*a*a" %b)' % b" ".join([b"*a" * 222 + b"b"] * 99), b'LSUB "%b" *' % (b"a" * 4096)],
)
def test_patterns_are_short_together(text):
    [rejected] = story(b"t " + text + b"\r\n", State.AUTHENTICATED)
    assert rejected.response == TOO_LONG
    [request] = story(b't LIST "" (%b)\r\n' % b" ".join([b"*a" * 20] * 100), State.AUTHENTICATED)
    assert len(request.command.patterns) == 100
    [request] = story(b't LIST "" ' + b"%*" * 30_000 + b"\r\n", State.AUTHENTICATED)
    assert isinstance(request, Request)


def test_status():
    assert command(b"STATUS a (messages MESSAGES size)") == Status("a", ("MESSAGES", "SIZE"))
    assert refusal(b"STATUS a ()").kind == "BAD"
    assert refusal(b"STATUS a (X)").kind == "BAD"


# ------------------------------------------------------------------ APPEND


def test_append():
    data = b'a APPEND x (\\Seen Work) " 7-Feb-1994 21:52:25 -0800" {5}\r\nhello\r\n'
    assert story(data, State.AUTHENTICATED) == [
        Request("a", Append("x")),
        MessageStarts(frozenset({"\\Seen", "Work"}), 760686745.0),
        LiteralStarts(5),
        CONTINUE,
        Octets(b"hello"),
        MessageEnds(),
        AppendEnds(),
    ]


def test_append_of_several_into_a_folder_that_is_a_literal():
    data = b"a APPEND {1}\r\nx {5+}\r\nhello {0+}\r\n (\\Draft) ~{2+}\r\n\0\xff\r\nb NOOP\r\n"
    assert story(data, State.AUTHENTICATED) == [
        Proceed(),
        Request("a", Append("x")),
        MessageStarts(frozenset(), None),
        LiteralStarts(5),
        b"",
        Octets(b"hello"),
        MessageEnds(),
        MessageStarts(frozenset(), None),
        LiteralStarts(0),
        b"",
        MessageEnds(),
        MessageStarts(frozenset({"\\Draft"}), None),
        LiteralStarts(2),
        b"",
        Octets(b"\0\xff"),
        MessageEnds(),
        AppendEnds(),
        Request("b", Noop()),
    ]


def test_append_of_parts():
    data = b'a APPEND x CATENATE (URL "/y;UID=1" TEXT {2+}\r\nhi URL {8+}\r\n/z;UID=1)\r\n'
    assert story(data, State.AUTHENTICATED) == [
        Request("a", Append("x")),
        MessageStarts(frozenset(), None),
        UrlPart("/y;UID=1"),
        LiteralStarts(2),
        b"",
        Octets(b"hi"),
        LiteralStarts(8, is_url=True),
        b"",
        Octets(b"/z;UID=1"),
        MessageEnds(),
        AppendEnds(),
    ]
    assert story(b'a APPEND x CATENATE (URL "/y")\r\n', State.AUTHENTICATED)[-1] == AppendEnds()


def test_append_in_utf8():
    data = b"a APPEND x UTF8 (~{2+}\r\nhi)\r\n"
    assert story(data, State.AUTHENTICATED) == [
        Request("a", Append("x")),
        MessageStarts(frozenset(), None, is_utf8=True),
        LiteralStarts(2),
        b"",
        Octets(b"hi"),
        MessageEnds(),
        AppendEnds(),
    ]


@pytest.mark.parametrize(
    "rest",
    [b"", b" ", b" x", b" (\\Seen)", b" (\\Recent) {1}", b' "no date" {1}', b" UTF8 {1}", b" CATENATE ()",
     b" CATENATE (X {1})", b" (\\Seen){1}", b" {}", b" {-1}", b" {x}"],
)  # fmt: skip
def test_append_of_nothing(rest):
    [event] = story(b"a APPEND x" + rest + b"\r\n", State.AUTHENTICATED)
    assert event.tag == "a"
    assert event.response.kind == "BAD"


def test_a_mistake_behind_a_message():
    heard = story(b"a APPEND x {2+}\r\nhi nonsense {4+}\r\n....\r\nb NOOP\r\n", State.AUTHENTICATED)
    assert [type(event) for event in heard[-2:]] == [Rejected, Request]
    assert heard[-2].tag == "a"


@pytest.mark.parametrize("way", ["asked", "unasked"])
def test_an_append_that_is_refused(way):
    """What was asked for does not come; what comes unasked is stepped over, and so is the rest."""
    talk = Talk(State.AUTHENTICATED)
    plus = b"" if way == "asked" else b"+"
    talk.machine.receive_data(b"a APPEND x {5" + plus + b"}\r\n")
    heard = [talk.machine.next_event() for _ in range(3)]
    assert heard[2] == LiteralStarts(5)
    assert talk.machine.next_event() is None
    talk.machine.refuse_append()
    rest = b"" if way == "asked" else b"1 A\r\n (\\Seen) {3+}\r\n2 B\r\n"
    talk.feed(rest + b"b NOOP\r\n")
    assert talk.story == [Request("b", Noop())]


def test_an_append_that_is_refused_in_the_middle():
    talk = Talk(State.AUTHENTICATED)
    talk.machine.receive_data(b"a APPEND x {5}\r\n")
    while not isinstance(talk.machine.next_event(), LiteralStarts):
        pass
    assert talk.machine.accept_literal() == CONTINUE
    talk.machine.receive_data(b"12")
    assert talk.machine.next_event() == Octets(b"12")
    talk.machine.refuse_append()
    talk.feed(b"345\r\nb NOOP\r\n")
    assert talk.story == [Request("b", Noop())]


# ------------------------------------------------------------------ bounds


@pytest.mark.row(47)
def test_before_login_a_command_is_small():
    """Row 47: its literals count, and more ends the connection."""
    for data in (
        b"a LOGIN {8200}\r\n",
        b"a LOGIN {8200+}\r\n",
        b"a LOGIN a {10000000000}\r\n",
        b"a LOGIN {4100+}\r\n" + b"x" * 4100 + b" {4100}\r\n",
        b"a" * (BEFORE_LOGIN_OCTETS + 1),
        b"a LOGIN " + b"(" * 100_000,
    ):
        last = story(data)[-1]
        assert last.closes
        assert last == Rejected("", responses.TOO_BIG_BEFORE_LOGIN, closes=True)


@pytest.mark.row(47)
@pytest.mark.parametrize("number", [b"10000000000", b"9" * 30])
def test_a_literal_that_is_too_large(number):
    """Row 47: who waits for a word hears no; who does not is sent away."""
    assert refusal(b"CREATE {" + number + b"}").code == "TOOBIG"
    [said, last] = story(b"a CREATE {" + number + b"+}\r\nx", State.SELECTED)
    assert said.response.code == "TOOBIG"
    assert last.closes


@pytest.mark.row(47)
def test_a_literal_that_is_stepped_over():
    literal = b"b NOOP\r\n" * 50_000
    assert len(literal) < SWALLOWED_OCTETS
    talk = Talk(State.SELECTED)
    talk.feed(b"a CREATE {%d+}\r\n" % len(literal) + literal + b" {3+}\r\nxyz\r\nc NOOP\r\n")
    assert talk.story == [Rejected("a", responses.LITERAL_TOO_BIG), Request("c", Noop())]


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "text", [b"CREATE {-1}", b"CREATE {+}", b"CREATE {}", b"CREATE {1-}", b"CREATE {1+", b"CREATE {0x1}"]
)
def test_literals_that_are_none(text):
    assert refusal(text).kind == "BAD"


@pytest.mark.row(47)
def test_a_line_that_is_too_long():
    """Row 47: it is answered under its tag, and a literal that it announces is no command."""
    talk = Talk(State.SELECTED)
    talk.feed(b"a FETCH " + b"1," * 50_000 + b"1 {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n")
    assert talk.story == [Rejected("a", responses.TOO_BIG), Request("c", Noop())]
    talk = Talk(State.SELECTED)
    for _ in range(SKIPPED_OCTETS // 50_000 + 3):
        talk.feed(b"x" * 50_000)
    assert talk.story[0].closes


@pytest.mark.row(47)
def test_many_literals():
    data = b"a LIST (" + b"{1+}\r\na " * 2000 + b")\r\n"
    talk = Talk(State.SELECTED)
    talk.feed(data + b"b NOOP\r\n")
    assert [event.tag for event in talk.story] == ["a", "b"]


def test_too_many_mistakes():
    talk = Talk(State.SELECTED)
    talk.feed(b"a XYZZY\r\n" * (MOST_REJECTED + 5))
    assert len(talk.story) == MOST_REJECTED + 1
    assert talk.story[-1] == Rejected("", responses.TOO_MANY_ERRORS, closes=True)


def test_a_good_command_makes_up_for_mistakes_but_not_before_login():
    data = (b"a XYZZY\r\n" * MOST_REJECTED + b"b NOOP\r\n") * 2
    for state, closes in ((State.SELECTED, False), (State.NOT_AUTHENTICATED, True)):
        talk = Talk(state)
        talk.feed(data)
        assert any(getattr(event, "closes", False) for event in talk.story) is closes
