"""POP3 sessions against a store in memory: logins, deletions, faults, two sessions at once."""

import base64

import pytest
from dialogs.runner import Play
from fakes import MemoryConnection, MemoryJournal, MemoryLogins, MemoryStore
from pop3_house import LOGIN, MESSAGES, House
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from mailsys.interfaces import IConnection, IConversation, IJournal, ILogins, IMailbox, IMailStore, NotRemoved

IN_USE = b"-ERR [IN-USE] Another session has this mailbox open\r\n"
GOODBYE = b"+OK Goodbye\r\n"


def session(house=None, **settings):
    """A session after its greeting."""
    play = Play((house or House()).conversation, settings)
    assert play.connection.take() == b"+OK mail.example.org is ready\r\n"
    return play


def logged_in(house=None, **settings):
    play = session(house, **settings)
    assert play.say(LOGIN).endswith(b"+OK Logged in\r\n")
    return play


def test_the_fakes_keep_their_promises():
    house = House()
    verifyObject(IConnection, MemoryConnection())
    verifyObject(IMailStore, MemoryStore())
    verifyObject(ILogins, MemoryLogins({}))
    verifyObject(IJournal, MemoryJournal())
    verifyObject(IConversation, house.conversation(Clock()))
    logged_in(house)
    verifyObject(IMailbox, house.store.opened[0])


# STLS


def test_login_after_stls():
    play = session(certificate=True, **{"from": "192.0.2.1"})
    assert play.say(b"STLS\r\n") == b"+OK Begin TLS\r\n"
    assert play.connection.handshakes == 1
    assert play.say(LOGIN).endswith(b"+OK Logged in\r\n")


@pytest.mark.row(5)
def test_injected_command_behind_stls():
    """Row 5: what came in the same segment as STLS is not served, and there is no TLS."""
    house = House()
    play = session(house, certificate=True)
    assert play.say(b"STLS\r\n" + LOGIN).startswith(b"-ERR You sent more than STLS")
    assert play.connection.closed
    assert play.connection.handshakes == 0
    assert house.logins.asked == []


@pytest.mark.row(6)
def test_what_was_said_before_tls_is_forgotten():
    """Row 6: the name given before STLS is gone, and a second STLS is refused."""
    play = session(certificate=True)
    play.say(b"USER ann@example.org\r\nSTLS\r\n")
    assert play.connection.handshakes == 1
    assert play.say(b"PASS correct horse\r\n") == b"-ERR Give a name with USER first\r\n"
    assert play.say(b"STLS\r\n") == b"-ERR TLS is not possible here, or is on already\r\n"


def test_a_failed_handshake_ends_the_session():
    play = session(certificate=True)
    play.connection.handshake_fails = True
    play.say(b"STLS\r\n")
    assert play.connection.closed


@pytest.mark.parametrize(
    ("plaintext", "host", "is_allowed"),
    [
        ("never", "127.0.0.1", False),
        ("loopback", "127.0.0.1", True),
        ("loopback", "::1", True),
        ("loopback", "192.0.2.1", False),
        ("always", "192.0.2.1", True),
    ],
)
def test_the_plaintext_setting(plaintext, host, is_allowed):
    play = session(plaintext=plaintext, **{"from": host})
    assert (b"\r\nUSER\r\n" in play.say(b"CAPA\r\n")) == is_allowed
    assert play.say(LOGIN).endswith(b"+OK Logged in\r\n") == is_allowed


# Logins


@pytest.mark.row(20)
def test_a_bad_exchange_hurts_no_other_session():
    """Row 20: 100 kB of response end that session; another goes on."""
    house = House()
    other, play = logged_in(house), session(house)
    assert play.say(b"AUTH PLAIN\r\n") == b"+ \r\n"
    assert play.say(b"A" * 100_000).startswith(b"-ERR Line too long")
    assert play.connection.closed
    assert other.say(b"NOOP\r\n") == b"+OK Done nothing\r\n"


def test_logins_unavailable():
    house = House()
    house.logins.is_unavailable = True
    play = session(house)
    assert play.say(LOGIN).endswith(b"-ERR [SYS/TEMP] Login is not possible for the moment\r\n")
    house.logins.is_unavailable = False
    assert play.say(LOGIN).endswith(b"+OK Logged in\r\n")


def test_utf8_name_and_password():
    response = base64.b64encode("\0bob@example.org\0pässword".encode())
    assert session().say(b"AUTH PLAIN " + response + b"\r\n") == b"+OK Logged in\r\n"
    said = session().say("USER bob@example.org\r\nPASS pässword\r\n".encode())
    assert said.endswith(b"+OK Logged in\r\n")


def test_a_session_does_not_outlive_its_login():
    """A changed password ends it at the next command, even QUIT: nothing is deleted."""
    house = House()
    play = logged_in(house)
    play.say(b"DELE 1\r\n")
    house.logins.over.add("ann@example.org")
    said = play.say(b"QUIT\r\n")
    assert said == b"-ERR [AUTH] Your login is not good any more; log in again\r\n"
    assert play.connection.closed
    assert 1 in house.contents
    assert house.journal.events[-1].facts["reply"] == said.decode().strip()


def test_the_journal_tells_what_was_read():
    house = House()
    session(house).say(LOGIN + b"RETR 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n")
    [event] = house.journal.events
    assert event.facts["event"] == "mailbox read"
    assert (event.facts["retrieved"], event.facts["deleted"]) == (2, 1)
    assert event.facts["login"] == "ann@example.org"


def test_who_had_its_tries_is_sent_away():
    """The journal hears of each failed login, so the end of the session is no news."""
    house = House()
    play = session(house)
    assert play.say(b"USER x\r\nPASS x\r\n" * 5).endswith(b"-ERR [AUTH] Name or password is wrong\r\n")
    assert play.connection.closed
    assert house.journal.events == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"GET / HTTP/1.1\r\n", "-ERR This is a mail server; goodbye"),
        (b"x" * 70_000, "-ERR Line too long"),
        (b"NONSENSE\r\n" * 21, "-ERR Too many errors; goodbye"),
    ],
)
def test_the_journal_tells_who_was_sent_away(said, told):
    house = House()
    play = session(house)
    assert play.say(said).decode().endswith(f"{told}\r\n")
    assert play.connection.closed
    event = house.journal.events[-1]
    assert event.id == "session1"
    assert [event.facts[fact] for fact in ("event", "command", "reply")] == ["refused", "SESSION", told]


def test_the_journal_says_nothing_of_who_just_goes():
    house = House()
    session(house).hang_up()
    assert house.journal.events == []


# One mailbox, one session


@pytest.mark.row(65)
def test_two_sessions_on_one_mailbox():
    """Row 65: the second is told [IN-USE], and comes in when the first has gone."""
    house = House()
    first, second = logged_in(house), session(house)
    assert second.say(LOGIN).endswith(IN_USE)
    assert first.say(b"QUIT\r\n") == GOODBYE
    assert second.say(LOGIN).endswith(b"+OK Logged in\r\n")


def test_a_dropped_session_gives_the_mailbox_up():
    house = House()
    first = logged_in(house)
    first.hang_up()
    assert first.connection.closed
    logged_in(house)


def test_the_mailbox_is_free_when_the_client_hears_goodbye():
    house = House()
    play = logged_in(house)
    free = []
    send = play.connection.send

    def watch(data):
        free.append((data, house.store.opened[0].is_closed))
        send(data)

    play.connection.send = watch
    play.say(b"QUIT\r\n")
    assert free == [(GOODBYE, True)]


def test_a_mailbox_that_cannot_be_opened():
    house = House()
    house.store.faults["open"] = OSError("disk")
    play = session(house)
    assert play.say(LOGIN).endswith(b"-ERR [SYS/TEMP] The mailbox cannot be opened for the moment\r\n")
    del house.store.faults["open"]
    assert play.say(LOGIN).endswith(b"+OK Logged in\r\n")


def test_a_fault_before_the_first_command_gives_the_mailbox_up(monkeypatch):
    def broken(*arguments):
        raise MemoryError

    house = House()
    monkeypatch.setattr("mailsys.read.pop3.conversation.log.failure", lambda *args, **kw: None)
    with monkeypatch.context() as patched:
        patched.setattr("mailsys.read.pop3.conversation.Transaction", broken)
        assert session(house).say(LOGIN).endswith(b"Something went wrong here; try again later\r\n")
    logged_in(house)


# Deletion


@pytest.mark.row(65)
@pytest.mark.parametrize("end", ["hang up", "silence", "bad line"])
def test_deletions_without_quit(end):
    """Row 65: all marked, then the connection is lost: nothing is deleted."""
    house = House()
    play = logged_in(house)
    assert play.say(b"DELE 1\r\nDELE 2\r\nDELE 3\r\n").count(b"+OK") == 3
    if end == "hang up":
        play.hang_up()
    elif end == "silence":
        play.clock.advance(601)
    else:
        play.say(b"x" * 70_000)
    assert play.connection.closed
    assert house.contents == MESSAGES


def test_quit_deletes_what_is_marked():
    house = House()
    assert logged_in(house).say(b"DELE 1\r\nDELE 3\r\nQUIT\r\n").endswith(GOODBYE)
    assert set(house.contents) == {7}


def test_deletions_that_fail():
    house = House()
    play = logged_in(house)
    house.store.faults["expunge"] = NotRemoved(0, "read-only")
    said = play.say(b"DELE 1\r\nQUIT\r\n")
    assert said.endswith(b"-ERR [SYS/TEMP] some deleted messages not removed\r\n")
    assert play.connection.closed
    assert house.contents == MESSAGES
    assert house.journal.events[-1].facts["deleted"] == 0


def test_the_journal_counts_what_was_really_deleted():
    house = House()
    play = logged_in(house)
    del house.contents[7]
    assert play.say(b"DELE 1\r\nDELE 2\r\nQUIT\r\n").endswith(GOODBYE)
    assert house.journal.events[-1].facts["deleted"] == 1
    play = logged_in(house)
    house.store.faults["expunge"] = NotRemoved(2, "one is read-only")
    play.say(b"DELE 1\r\nQUIT\r\n")
    assert house.journal.events[-1].facts["deleted"] == 2


def test_unique_ids_are_the_same_in_the_next_session():
    house = House()
    first = logged_in(house).say(b"UIDL\r\nDELE 1\r\nQUIT\r\n")
    second = logged_in(house).say(b"UIDL\r\n")
    assert b"\r\n2 00000007499602d2\r\n" in first
    assert b"\r\n1 00000007499602d2\r\n" in second


# Messages that cannot be read


def test_unreadable_and_vanished_messages():
    house = House()
    house.store.faults[7] = OSError("input/output error")
    play = logged_in(house)
    del house.contents[255]
    assert play.say(b"RETR 2\r\n") == b"-ERR [SYS/TEMP] That message cannot be read for the moment\r\n"
    assert play.say(b"TOP 2 0\r\n") == b"-ERR [SYS/TEMP] That message cannot be read for the moment\r\n"
    assert play.say(b"RETR 3\r\n") == b"-ERR That message has been removed meanwhile\r\n"
    assert play.say(b"RETR 1\r\n").startswith(b"+OK 38 octets\r\n")
    assert play.say(b"QUIT\r\n") == GOODBYE


@pytest.mark.row(66)
def test_a_fault_of_ours_ends_that_session_only(monkeypatch):
    """Row 66: MemoryError or RecursionError in one session: [SYS/TEMP], closed, no traceback for the peer."""
    logged = []
    monkeypatch.setattr("mailsys.read.pop3.conversation.log.failure", lambda *args, **kw: logged.append(kw))
    house = House()
    for fault in (MemoryError("secret detail"), RecursionError("secret detail")):
        house.store.faults[7] = fault
        play = logged_in(house)
        assert play.say(b"RETR 2\r\n") == b"-ERR [SYS/TEMP] Something went wrong here; try again later\r\n"
        assert play.connection.closed
        assert house.store.opened[-1].is_closed
    assert len(logged) == 2
    house.store.faults.clear()
    assert logged_in(house).say(b"RETR 2\r\n").startswith(b"+OK")


# Time


def test_autologout_counts_whole_commands():
    play = logged_in()
    for _ in range(20):
        play.clock.advance(599)
        assert play.say(b"NOOP\r\n") == b"+OK Done nothing\r\n"
    for _ in range(6):
        play.clock.advance(99)
        play.say(b"N")
    assert not play.connection.closed
    play.clock.advance(7)
    assert play.connection.closed


def test_pipelined_commands_let_others_have_their_turn():
    play = logged_in()
    play.connection.feed(b"NOOP\r\n" * 1000)
    assert not play.connection.is_waiting
    assert play.connection.take().count(b"\n") < 150
    play.settle()
    assert play.connection.take().count(b"\n") > 850


def test_a_client_that_takes_nothing_is_not_served_on():
    play = logged_in()
    play.connection.congested = True
    play.connection.feed(b"RETR 1\r\n" * 50)
    assert play.connection.take().count(b"+OK") == 1
    play.connection.resume()
    assert play.connection.take().count(b"+OK") == 49


def test_the_host_stops():
    """The client is told, the mailbox is given up, and nothing is deleted."""
    house = House()
    play = logged_in(house)
    play.say(b"DELE 1\r\n")
    play.connection.stop_host()
    assert play.connection.take() == b"-ERR [SYS/TEMP] This host is shutting down\r\n"
    assert play.connection.closed
    assert house.store.opened[0].is_closed
    assert house.contents == MESSAGES


def test_cancelled_from_outside():
    """The service stops: the mailbox is given up."""
    house = House()
    clock, connection = Clock(), MemoryConnection()
    result = Deferred.fromCoroutine(house.conversation(clock).run(connection))
    connection.feed(LOGIN)
    result.addErrback(lambda failure: None)
    result.cancel()
    assert connection.closed
    assert house.store.opened[0].is_closed
