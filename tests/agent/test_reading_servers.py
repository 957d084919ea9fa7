"""Servers that play false with whoever reads, and servers of few words: told in one plain sentence each."""

from scripted import ScriptedServer
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from mailsys.agent import login
from mailsys.agent.account import Account, CannotRead, Protocol, Security
from mailsys.agent.imap import open_imap
from mailsys.agent.opening import Surroundings
from mailsys.agent.pop3 import open_pop3
from mailsys.net.client_tls import ClientTLS
from mailsys.threads import NoThreads
from mailsys.wire.sasl.client import Login

SECRET = "geheim"
ANN = Login("ann", SECRET)
LETTER = b"Subject: hello\r\nFrom: a@example.org\r\n\r\nwords\r\n"
HELLO = b"* OK [CAPABILITY IMAP4rev1] hello"


def answers(*lines):
    """A script that says the first, and one more for each line that it hears; a list says several."""

    def script(peer):
        for answer in lines:
            peer.say(*([answer] if isinstance(answer, bytes) else answer))
            if peer.hear() is None:
                return
        peer.wait()

    return script


class ServerCase(TestCase):
    timeout = 20
    protocol, opened = Protocol.IMAP, staticmethod(open_imap)

    def account(self, script, security=Security.NONE, who=ANN):
        self.server = ScriptedServer(script)
        self.addCleanup(self.server.close)
        return Account(self.protocol, "127.0.0.1", self.server.port, security, who)

    def read(self, account, wish):
        """Fires with what a coroutine of the open mailbox returns."""

        async def reading():
            surroundings = Surroundings(reactor, ClientTLS(), NoThreads(), lambda: b"no chance at all..")
            mailbox = await self.opened(account, surroundings)
            try:
                return await wish(mailbox)
            finally:
                mailbox.close()

        return Deferred.fromCoroutine(reading())

    async def fails(self, account, words, wish=lambda mailbox: mailbox.list("INBOX")):
        error = await self.assertFailure(self.read(account, wish), CannotRead)
        assert words in str(error)
        assert str(error).isprintable()
        assert str(error).endswith(".")

    def assert_silent(self):
        """The password did not leave."""
        heard = b"\r\n".join(line for peer in self.server.peers for line in peer.heard)
        assert SECRET.encode() not in heard
        assert b"AUTH" not in heard


class IMAP(ServerCase):
    async def test_no_starttls_no_password(self):
        await self.fails(self.account(answers(HELLO), Security.STARTTLS), "it offers no TLS here")
        self.assert_silent()

    async def test_logged_in_before_tls(self):
        script = answers(b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] in already")
        await self.fails(self.account(script, Security.STARTTLS), "it offers no TLS here")
        self.assert_silent()

    async def test_starttls_that_is_refused(self):
        script = answers(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello", b"a1 NO \x1b[2Jnot now.")
        await self.fails(self.account(script, Security.STARTTLS), r"it does not begin TLS: \x1b[2Jnot now.")
        self.assert_silent()

    async def test_injection_before_tls(self):
        script = answers(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello", [b"a1 OK go", b"* OK injected"])
        await self.fails(self.account(script, Security.STARTTLS), "it sent more than the answer to STARTTLS")
        self.assert_silent()

    async def test_no_password_in_clear_to_another_machine(self):
        self.patch(login, "_is_this_machine", lambda _: False)
        await self.fails(self.account(answers(HELLO)), "the password was not sent, as there is no TLS")
        self.assert_silent()

    async def test_no_way_to_log_in(self):
        script = answers(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] hello")
        await self.fails(self.account(script), "it offers no way to log in that is known here")

    async def test_a_server_that_goes_away_and_one_that_says_so(self):
        await self.fails(self.account(lambda peer: None), "it closed the connection")
        await self.fails(
            self.account(answers(b"* BYE too many of you")), "it ended the session: too many of you"
        )

    async def test_scram_that_is_not_proved(self):
        hello = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] hello"
        script = answers(hello, b"a1 OK [CAPABILITY IMAP4rev1] just come in")
        await self.fails(self.account(script), "it did not show that it knows the password")
        script = answers(hello, b"+ YQ==", b"a1 BAD given up")
        await self.fails(self.account(script), "it did not take the login of ann: given up")
        assert self.server.peers[0].heard[1] == b"*"

    async def test_what_was_not_asked_for_is_not_listed(self):
        literal = b"* 1 FETCH (UID 7 RFC822.SIZE 9 FLAGS (\\Seen) BODY[HEADER.FIELDS (x)] {%d}" % len(LETTER)
        script = answers(
            HELLO,
            [b"a1 OK [CAPABILITY IMAP4rev1] in"],
            [b"* 2 EXISTS", b"a2 OK open"],
            [b"* 99 FETCH (UID 1 RFC822.SIZE 1)", b"* 1 FETCH (FLAGS ())", literal, LETTER + b")", b"a3 OK"],
        )
        listing = await self.read(self.account(script), lambda mailbox: mailbox.list("INBOX"))
        assert listing.count == 2
        assert [(one.number, one.uid, one.subject) for one in listing.entries] == [(1, "7", "hello")]
        assert (listing.entries[0].preview, listing.entries[0].is_seen) == ("words", True)

    async def test_a_message_that_does_not_come(self):
        beginning = [HELLO, b"a1 OK [CAPABILITY IMAP4rev1] in", [b"* 1 EXISTS", b"a2 OK open"]]

        async def wish(mailbox):
            return await mailbox.fetch("INBOX", 1)

        script = answers(*beginning, [b"* 1 FETCH (BODY[] NIL)", b"a3 OK"])
        await self.fails(self.account(script), "it did not give message 1", wish)
        script = answers(*beginning, [b"* 1 FETCH (BODY[]<0> {999999999}"])
        await self.fails(self.account(script), "it sent a response with more than", wish)
        script = answers(*beginning, [b"* 1 FETCH (BODY[]<0> {3}", b"abc)", b"a3 OK"])
        assert await self.read(self.account(script), wish) == b"abc"

    async def test_a_login_that_no_line_can_hold(self):
        for who in (Login("ann", "a\r\nb"), Login("", "b"), Login("a\udc80", "b")):
            await self.fails(self.account(answers(HELLO), who=who), "to log in with is")
        self.assert_silent()


class POP3(ServerCase):
    protocol, opened = Protocol.POP3, staticmethod(open_pop3)

    async def test_no_stls_no_password(self):
        script = answers(b"+OK hello", b"-ERR what?")
        await self.fails(self.account(script, Security.STARTTLS), "it offers no TLS here")
        self.assert_silent()

    async def test_a_greeting_that_sends_us_away(self):
        await self.fails(self.account(answers(b"-ERR not today")), "it does not serve now: not today.")

    async def test_no_password_in_clear_to_another_machine(self):
        self.patch(login, "_is_this_machine", lambda _: False)
        script = answers(b"+OK hello", [b"+OK", b"SASL PLAIN", b"."])
        await self.fails(self.account(script), "the password was not sent, as there is no TLS")
        self.assert_silent()

    async def test_a_server_that_knows_no_extension(self):
        script = answers(
            b"+OK hello", b"-ERR CAPA?", b"+OK", b"+OK in", [b"+OK", b"1 47", b"x y", b"."],
            [b"+OK", LETTER + b"."], b"+OK bye",
        )  # fmt: skip
        listing = await self.read(self.account(script), lambda mailbox: mailbox.list("inbox"))
        assert [(one.number, one.uid, one.size_octets) for one in listing.entries] == [(1, "", 47)]
        assert (listing.entries[0].subject, listing.entries[0].preview) == ("hello", "words")
        heard = self.server.peers[0].heard
        for _turn in range(500):  # the goodbye may still be on its way
            if b"QUIT" in heard:
                break
            await deferLater(reactor, 0.02)
        assert heard[1:6] == [b"USER ann", b"PASS geheim", b"LIST", b"RETR 1", b"QUIT"]

    async def test_other_folders_and_large_messages(self):
        beginning = [b"+OK hello", b"-ERR CAPA?", b"+OK", b"+OK in"]
        await self.fails(
            self.account(answers(*beginning)),
            'only the folder INBOX, and not "Sent".',
            lambda box: box.list("Sent"),
        )
        script = answers(*beginning, [b"+OK", b"1 999999999", b"."])
        await self.fails(self.account(script), "is larger than 64 MB", lambda box: box.fetch("INBOX", 1))
