"""SMTP and LMTP as strangers speak it: any commands, in any order, cut anywhere.

Three machines hear the same: one in whole groups, one octet by octet, one in other pieces.  All must
tell the same story, keep to the model of ``smtp_talk.py``, raise nothing and hold little.
"""

import pytest
from cutting import cuts, pieces
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from smtp_talk import Talk, is_early

ADDRESSES = [
    "a@b.example", "", "a@@b", '"x y"@c.example', "é@d.example", "@r.example:a@b.example", "x" * 300,
    "postmaster",
]  # fmt: skip
PARAMETERS = [
    "", " SIZE=10", " SIZE=" + "9" * 30, " BODY=8BITMIME", " BODY=BINARYMIME SMTPUTF8", " X=y", " SIZE=-1",
    " RET=HDRS ENVID=a+20b", " RET", " ENVID=a+0Db",
]  # fmt: skip
WISHES = ["", " NOTIFY=NEVER", " NOTIFY=NEVER,DELAY", " ORCPT=rfc822;a+40b", " ORCPT=utf-8;\\x{D800}", " X"]
BARE = [
    b"RSET", b"NOOP x", b"DATA", b"DATA x", b"HELP", b"QUIT", b"VRFY a", b"EXPN a", b"STARTTLS",
    b"STARTTLS x",
]  # fmt: skip
LOGINS = [
    b"AUTH PLAIN", b"AUTH PLAIN =", b"AUTH PLAIN AGEAYg==", b"AUTH LOGIN", b"AUTH " + b"x" * 30, b"*",
    b"AGEAYg==", b"!",
]  # fmt: skip
GREETINGS = [b"EHLO c.example", b"HELO c", b"LHLO c.example", b"EHLO", b"EHLO \xc3\xa9", b"ehlo [192.0.2.1]"]
PARTS = [
    b"Subject: x\r\n", b"\r\n", b".\r\n", b"..\r\n", b"\n.\n", b"x" * 100, b"\0", b"\r", b"MAIL FROM:<>\r\n",
]  # fmt: skip
VERBS = [b"mail", b"XCLIENT", b"GET / HTTP/1.1", b"", b" ", b"\x00", b"\xff\xfe", b"ETRN"]

hello = st.sampled_from(GREETINGS)
mail = st.builds(
    lambda address, parameters: f"MAIL FROM:<{address}>{parameters}".encode(),
    st.sampled_from(ADDRESSES),
    st.sampled_from(PARAMETERS),
)
rcpt = st.builds(
    lambda address, wish: f"RCPT TO:<{address}>{wish}".encode(),
    st.sampled_from(ADDRESSES),
    st.sampled_from(WISHES),
)
line = hello | mail | rcpt | st.sampled_from(BARE + LOGINS + VERBS) | st.binary(max_size=40)
ends = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b""])
body_parts = st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join)


class Session(RuleBasedStateMachine):
    """One connection, heard three times over."""

    lmtp = False

    @initialize(moods=st.lists(st.sampled_from([0, 0, 0, 0, 1, 2]), min_size=1, max_size=9), sizes=cuts)
    def connect(self, moods, sizes):
        self.talks = [Talk(lmtp=self.lmtp, moods=moods) for _ in range(3)]
        self.sizes = sizes

    def send(self, data):
        whole, octets, cut = self.talks
        whole.feed(data)
        for piece in pieces(data, [1]):
            octets.feed(piece)
        for piece in pieces(data, self.sizes):
            cut.feed(piece)
        self.compare()

    def compare(self):
        whole = self.talks[0]
        for other in self.talks[1:]:
            if is_early(whole.story) or is_early(other.story):
                shared = min(len(whole.story), len(other.story)) - 1
                assert whole.story[:shared] == other.story[:shared]
                self.talks = [whole] * 3 if whole.closed else [other] * 3
                whole.closed = other.closed = True
                return
            assert whole.story == other.story
            assert whole.closed == other.closed

    @rule(command=line, end=ends)
    def say(self, command, end):
        self.send(command + end)

    @rule(commands=st.lists(line, min_size=2, max_size=6))
    def say_many(self, commands):
        self.send(b"\r\n".join(commands) + b"\r\n")

    @rule(to=st.lists(rcpt, min_size=1, max_size=3))
    def begin_message(self, to):
        greeting = b"LHLO c\r\n" if self.lmtp else b"EHLO c\r\n"
        self.send(greeting)
        self.send(b"\r\n".join([b"MAIL FROM:<a@b.example>", *to]) + b"\r\n")
        self.send(b"DATA\r\n")

    @rule(chunks=st.lists(st.tuples(st.integers(0, 90), st.booleans()), min_size=1, max_size=4))
    def send_message_in_chunks(self, chunks):
        self.open_transaction()
        for octets, last in chunks:
            self.send(b"BDAT %d%b\r\n" % (octets, b" LAST" if last else b"") + b"x" * octets)

    def open_transaction(self):
        """As far as the moods allow."""
        greeting = b"LHLO c\r\n" if self.lmtp else b"EHLO c\r\n"
        self.send(b"\r\n.\r\n" + greeting)
        self.send(b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n")

    @rule(octets=st.integers(1, 3))
    def send_far_too_many_chunks(self, octets):
        self.open_transaction()
        data = (b"BDAT %d\r\n" % octets + b"x" * octets) * 1002
        for talk in self.talks:
            for piece in pieces(data, [700]):  # octet by octet it would take seconds
                talk.feed(piece)
        self.compare()

    @rule(body=body_parts, ends=st.booleans())
    def send_body(self, body, ends):
        self.send(body + (b"\r\n.\r\n" if ends else b""))

    @rule(size=st.integers(0, 300), octets=body_parts, last=st.sampled_from([b"", b" LAST", b" x"]))
    def send_chunk(self, size, octets, last):
        self.send(b"BDAT %d%b\r\n" % (size, last) + octets)

    @rule(size=st.sampled_from([b"99999999999999999999999", b"-1", b"", b"1 2 3", b"100001"]))
    def send_odd_chunk(self, size):
        self.send(b"BDAT " + size + b"\r\n")

    @rule(octets=st.integers(500, 70_000), filler=st.sampled_from([b"x", b" ", b"\xff"]))
    def send_long_line(self, octets, filler):
        self.talks[0].feed(filler * octets)
        self.talks[2].feed(filler * octets)
        self.talks[1].feed(filler * octets)  # octet by octet it would take seconds
        self.compare()

    @rule(data=st.binary(max_size=200))
    def send_anything(self, data):
        self.send(data)

    @invariant()
    def nothing_survives_the_end(self):
        for talk in getattr(self, "talks", ()):
            if talk.closed:
                before = len(talk.story)
                talk.feed(b"NOOP\r\n")
                assert len(talk.story) == before


class LMTPSession(Session):
    lmtp = True


Session.TestCase.settings = LMTPSession.TestCase.settings = settings(
    suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
TestSMTP = pytest.mark.row(18)(Session.TestCase)
TestLMTP = pytest.mark.row(18)(LMTPSession.TestCase)
