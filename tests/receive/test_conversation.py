"""What reaches the intake, the journal and the spool from a conversation."""

import itertools
import os

import pytest
from dialogs.runner import Play
from smtp_house import NOW, House

from mailsys.disk import Disk
from mailsys.interfaces import ACCEPT, Disposition, NotStored, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.message.reply import Reply

HELO = b"HELO client.example\r\n"
BEGIN = b"MAIL FROM:<friend@client.example>\r\nRCPT TO:<ann@our.example>\r\nDATA\r\n"
MESSAGE = (
    b"From: friend@client.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <1@client.example>\r\n\r\nHello\r\n"
)

OWN = BEGIN.replace(b"friend@client.example", b"ann@our.example")
LOGIN = b"AUTH PLAIN AGFubkBvdXIuZXhhbXBsZQBjb3JyZWN0IGhvcnNl\r\n"


def greeted(house, **settings):
    play = Play(house.conversation, settings)
    play.connection.take()
    assert play.say(HELO).startswith(b"250")
    return play


def send(play, message=MESSAGE, begin=BEGIN):
    assert play.say(begin).endswith(b"354 Go ahead, end with a dot on a line of its own\r\n")
    return play.say(message + b".\r\n")


def kinds(house):
    return [event.facts["event"] for event in house.journal.events]


def test_content_is_what_was_sent_and_the_head_stands_before_it():
    house = House()
    assert send(greeted(house)) == b"250 2.0.0 Accepted as session1.1\r\n"
    [(acceptance, content)] = house.intake.accepted
    assert content == MESSAGE
    assert acceptance.actions[0].head == (
        b"Return-Path: <friend@client.example>\r\n"
        b"Delivered-To: ann@our.example\r\n"
        b"Received: from client.example ([127.0.0.1])\r\n\tby mail.our.example (mailsys) with SMTP\r\n"
        b"\tid session1.1\r\n\tfor <ann@our.example>;\r\n\tMon, 23 Nov 2026 15:04:05 +0000\r\n"
    )
    assert acceptance.facts["subject"] == "Grüße"
    assert acceptance.facts["message_id"] == "<1@client.example>"
    assert acceptance.facts["reply"] == "250 2.0.0 Accepted as session1.1"


def test_one_copy_an_account_whatever_leads_to_it():
    house = House()
    recipients = (
        b"RCPT TO:<ann+x@our.example>\r\nRCPT TO:<everybody@our.example>\r\nRCPT TO:<ann@our.example>\r\n"
    )
    send(greeted(house), begin=b"MAIL FROM:<>\r\n" + recipients + b"DATA\r\n")
    assert house.takers == [["ann@our.example", "bob@our.example"]]
    actions = house.intake.accepted[0][0].actions
    also_for = [[str(recipient) for recipient in action.also_for] for action in actions]
    assert also_for == [["everybody@our.example", "ann@our.example"], []]
    heads = [action.head for action in actions]
    assert (
        b"Return-Path: <>\r\nDelivered-To: ann@our.example\r\nX-Original-To: ann+x@our.example\r\n"
        in heads[0]
    )
    assert b"Delivered-To: bob@our.example\r\nX-Original-To: everybody@our.example\r\n" in heads[1]
    assert all(b"for <" not in head for head in heads)


@pytest.mark.row(13)
def test_the_same_recipient_a_thousand_times_and_one_recipient_too_many():
    """Row 13: one copy of a recipient named often; 452 4.5.3 beyond the limit."""
    house = House(recipients=1000)
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\n")
    assert play.say(b"RCPT TO:<ann@our.example>\r\n" * 1000) == b"250 2.1.5 Recipient OK\r\n" * 1000
    many = play.say(b"".join(b"RCPT TO:<x%d@other.example>\r\n" % number for number in range(1001)))
    assert many.count(b"250 2.1.5") == 999
    assert many.count(b"452 4.5.3") == 2
    play.say(b"DATA\r\n")
    play.say(MESSAGE + b".\r\n")
    assert house.takers == [["ann@our.example", "bob@our.example"]]


@pytest.mark.row(13)
def test_endless_commands_without_a_message():
    """Row 13: MAIL and RSET for ever end with 421 4.7.0, and so do errors."""
    play = greeted(House())
    said = play.say(b"MAIL FROM:<>\r\nRSET\r\n" * 1000)
    assert said.endswith(b"421 4.7.0 Too many errors\r\n")
    assert said.count(b"\r\n") < 120
    assert play.connection.closed
    play = greeted(House(errors=3))
    assert (
        play.say(b"FOO\r\n" * 10)
        == b"500 5.5.2 Command not recognised\r\n" * 4 + b"421 4.7.0 Too many errors\r\n"
    )


@pytest.mark.row(12)
def test_a_message_beyond_the_limit():
    """Row 12: 552 at its end, nothing stored; at twice the limit the connection ends."""
    house = House(message_octets=1000)
    assert send(greeted(house), MESSAGE + b"x" * 900 + b"\r\n").startswith(b"552 5.3.4")
    play = greeted(house)
    play.say(BEGIN)
    assert play.say(MESSAGE + b"x" * 3000).startswith(b"552 5.3.4")
    assert play.connection.closed
    assert house.contents == []


def test_a_large_message_goes_through_the_spool(tmp_path):
    house = House(str(tmp_path), message_octets=10_000_000)
    large = MESSAGE + (b"0123456789abcdef" * 60 + b"\r\n") * 1024
    play = greeted(house)
    play.say(BEGIN)
    for at in range(0, len(large), 50_000):
        play.say(large[at : at + 50_000])
    assert play.say(b".\r\n").startswith(b"250")
    assert house.contents == [large]
    assert os.listdir(tmp_path) == ["session1.1"]  # from now on it is the intake's


@pytest.mark.row(17)
@pytest.mark.parametrize("end", ["hang up", "fault", "too big"])
def test_the_spool_file_of_a_message_that_is_not_taken_goes(tmp_path, end):
    """Row 17: a connection that ends inside a message leaves nothing behind."""
    house = House(str(tmp_path), message_octets=1_000_000)
    play = greeted(house)
    play.say(BEGIN)
    play.say(MESSAGE + b"x" * 600_000 + b"\r\n")
    assert os.listdir(tmp_path) == ["session1.1"]
    match end:
        case "hang up":
            play.hang_up()
        case "fault":
            assert play.say(b"\n\r\n.\r\n").startswith(b"550 5.6.0")
        case "too big":
            assert play.say(b"x" * 500_000 + b"\r\n.\r\n").startswith(b"552")
    assert os.listdir(tmp_path) == []
    assert house.contents == []


class FullDisk(Disk):
    """No space left on the device, as long as ``is_full``."""

    is_full = True

    def write(self, descriptor, pieces):
        if self.is_full:
            raise OSError(28, "No space left on device")
        super().write(descriptor, pieces)


@pytest.mark.row(52)
@pytest.mark.parametrize("by", ["DATA", "BDAT"])
def test_a_full_disk_while_a_large_message_comes(tmp_path, by):
    """Row 52: 452 4.3.1, nothing stays, and the next message is taken when there is room."""
    house = House(str(tmp_path), message_octets=1_000_000)
    house.disk = FullDisk()
    play = greeted(house)
    large = MESSAGE + b"x" * 600_000 + b"\r\n"
    for room in (False, True):
        house.disk.is_full = not room
        if by == "DATA":
            answer = send(play, large)
        else:
            play.say(BEGIN.replace(b"DATA\r\n", b""))
            answer = play.say(b"BDAT %d LAST\r\n" % len(large) + large)
        assert answer.startswith(b"250" if room else b"452 4.3.1")
    assert house.contents == [large]


@pytest.mark.row(52)
def test_what_cannot_be_stored_is_told_and_left_to_the_client():
    """Row 52: 452 4.3.1 from the intake; the journal knows; the session goes on."""
    house = House()
    house.refuse_to_store()
    play = greeted(house)
    assert send(play) == b"452 4.3.1 The message could not be stored; try again later\r\n"
    assert kinds(house) == ["refused"]
    assert house.journal.events[0].facts["to"] == ["ann@our.example"]
    assert house.journal.events[0].facts["subject"] == "Grüße"
    assert house.journal.events[0].facts["message_id"] == "<1@client.example>"
    house.intake.fault = None
    assert send(play).startswith(b"250")


@pytest.mark.row(66)
def test_a_fault_of_ours_hurts_one_session_and_tells_the_peer_nothing():
    """Row 66: 451 4.3.0, the connection ends, and no word of the exception reaches the peer."""
    house = House()
    house.intake.fault = RecursionError("secret")
    play = greeted(house)
    assert send(play) == b"451 4.3.0 Something went wrong here; try again later\r\n"
    assert play.connection.closed
    house.intake.fault = None
    assert send(greeted(house)).startswith(b"250")


class Opinion(SilentJudge):
    """Says one thing at one moment."""

    name = "opinion"

    def __init__(self, moment, verdict):
        setattr(self, moment, self._answer)
        self._verdict = verdict

    async def _answer(self, *_about):
        return self._verdict


REJECT = Verdict(Disposition.REJECT, "because", Reply(550, "5.7.1", "No"))


@pytest.mark.parametrize(
    ("moment", "answer"),
    [("sender", b"550 5.7.1 No\r\n"), ("recipient", b"550 5.7.1 No\r\n"), ("message", b"550 5.7.1 No\r\n")],
)
def test_what_a_judge_rejects_is_refused_and_told_in_the_journal(moment, answer):
    house = House()
    house.judges = (Opinion(moment, REJECT),)
    play = greeted(house)
    assert answer in play.say(BEGIN) + play.say(MESSAGE + b".\r\n")
    assert house.contents == []
    told = house.journal.events[0].facts
    assert told["reply"] == "550 5.7.1 No"
    assert told["checked"] == ["opinion: because"]


def test_a_connection_that_a_judge_rejects_gets_no_greeting():
    house = House()
    house.judges = (Opinion("connection", REJECT),)
    play = Play(house.conversation)
    assert play.connection.take() == b"550 5.7.1 No\r\n"
    assert play.connection.closed


def test_header_lines_of_judges_stand_in_the_copy():
    house = House()
    house.judges = (Opinion("message", Verdict(ACCEPT.disposition, "", None, (b"X-Seen: yes\r\n",))),)
    send(greeted(house))
    assert b"X-Seen: yes\r\n" in house.intake.accepted[0][0].actions[0].head


def test_quota_holds_are_released_whatever_happens():
    house = House()
    begin = b"MAIL FROM:<>\r\nRCPT TO:<small@our.example>\r\nDATA\r\n"
    assert send(greeted(house), b"From: a@b.example\r\n\r\n", begin).startswith(b"250")
    house.refuse_to_store()
    assert send(greeted(house), b"From: a@b.example\r\n\r\n", begin).startswith(b"452")
    assert house.quota.holds == []


def test_over_quota_at_the_end_names_the_mailbox():
    """Alone it is final; with others it is "later", since the next RCPT will tell them apart by size."""
    house = House()
    begin = b"MAIL FROM:<>\r\nRCPT TO:<small@our.example>\r\nDATA\r\n"
    answer = send(greeted(house), MESSAGE, begin)
    assert answer == b"552 5.2.2 Message does not fit into the mailbox of <small@our.example>\r\n"
    begin = b"MAIL FROM:<>\r\nRCPT TO:<ann@our.example>\r\nRCPT TO:<small@our.example>\r\nDATA\r\n"
    answer = send(greeted(house), MESSAGE, begin)
    assert answer == b"452 4.2.2 Message does not fit into the mailbox of <small@our.example>\r\n"
    assert house.contents == []


def test_one_full_mailbox_behind_an_alias_keeps_nobody_else_from_the_mail():
    house = House()
    begin = b"MAIL FROM:<>\r\nRCPT TO:<staff@our.example>\r\nDATA\r\n"
    assert send(greeted(house), MESSAGE, begin).startswith(b"250")
    assert house.takers == [["ann@our.example", "full@our.example"]]


def test_stale_addresses_of_a_list_do_not_end_the_session():
    house = House(errors=3)
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\nRCPT TO:<ann@our.example>\r\n")
    assert play.say(b"RCPT TO:<gone@our.example>\r\n" * 20) == b"550 5.1.1 No such user here\r\n" * 20
    play.say(b"DATA\r\n")
    assert play.say(MESSAGE + b".\r\n").startswith(b"250")
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\n")
    assert b"421 4.7.0" in play.say(b"RCPT TO:<guess@our.example>\r\n" * 20)


def test_more_recipients_than_a_message_may_have_are_for_the_next_one():
    """RFC 5321 4.5.3.1.10: the client goes on to DATA with those that were taken."""
    house = House(recipients=100, errors=20)
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\n")
    said = play.say(b"".join(b"RCPT TO:<x%d@other.example>\r\n" % number for number in range(150)))
    assert said.count(b"452 4.5.3") == 50
    play.say(b"DATA\r\n")
    assert play.say(MESSAGE + b".\r\n").startswith(b"250")


@pytest.mark.parametrize("end", ["hang up", "silence"])
def test_a_message_that_never_ends_is_in_the_journal_of_its_recipients(end):
    house = House()
    play = greeted(house)
    play.say(BEGIN)
    play.say(b"From: a@b.example\r\n\r\nhalf")
    if end == "hang up":
        play.hang_up()
    else:
        play.wait(181)
    event, *ended = house.journal.events
    assert [told.facts["reply"] for told in ended] == (
        [] if end == "hang up" else ["421 4.4.2 You were silent for too long"]
    )
    assert event.id == "session1.1"
    assert event.facts["to"] == ["ann@our.example"]
    assert event.facts["checked"] == ["the connection ended after 25 octets of it"]


def test_the_header_of_a_binary_message_has_no_bare_line_ends():
    """Readers that take a lone CR for a line end would see another From than the one that was judged."""
    house = House()
    play = greeted(house)
    begin = b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<ann@our.example>\r\n"
    for octets, code in (
        (b"From: a@b.c\r\nX: y\rFrom: e@b.c\r\n\r\nhi", b"550 5.6.0"),
        (b"From: a@b.c\r\n\r\n\r\0", b"250"),
    ):
        play.say(begin)
        assert play.say(b"BDAT %d LAST\r\n" % len(octets) + octets).startswith(code)


@pytest.mark.row(20)
def test_logins_that_fail_end_the_connection_after_some():
    """Row 20: 535 each time, and after the fifth the end; when nobody can be checked, 454."""
    house = House()
    play = greeted(house, service="submission")
    for _ in range(5):
        assert play.say(b"AUTH PLAIN AGFubkBvdXIuZXhhbXBsZQB3cm9uZw==\r\n").startswith(b"535 5.7.8")
    assert play.connection.closed
    house.logins.is_unavailable = True
    assert greeted(house, service="submission").say(b"AUTH PLAIN AGEAYg==\r\n").startswith(b"454 4.7.0")


def test_a_session_does_not_outlive_its_login():
    """A changed password ends it at the next command, and at the end of a message that was begun."""
    for is_within in (False, True):
        house = House()
        play = greeted(house, service="submission")
        assert play.say(LOGIN).startswith(b"235")
        if is_within:
            play.say(OWN)
        house.logins.over.add("ann@our.example")
        said = play.say(MESSAGE + b".\r\n" if is_within else b"NOOP\r\n")
        assert said == b"421 4.7.0 Your login is not good any more; log in again\r\n"
        assert play.connection.closed
        assert house.contents == []


def test_the_time_is_given_not_taken():
    house = House()
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\nRCPT TO:<nobody@our.example>\r\n")
    assert [event.at for event in house.journal.events] == [NOW]


def test_a_client_that_sends_much_at_once_lets_others_have_their_turn():
    """After ten commands at most the reactor has the chance to serve others."""
    play = greeted(House())
    turns = []
    call_later = play.clock.callLater

    def note_turn(seconds, *call):
        if seconds == 0:
            turns.append(play.connection.output.count(b"\r\n"))
        return call_later(seconds, *call)

    play.clock.callLater = note_turn
    play.say(b"MAIL FROM:<>\r\n" + b"RCPT TO:<ann@our.example>\r\n" * 200)
    assert len(turns) >= 20
    assert max(after - before for before, after in itertools.pairwise([0, *turns])) <= 10


@pytest.mark.row(13)
def test_the_same_recipient_without_end_is_refused_in_the_end():
    """Row 13: who names one recipient more often than there may be recipients gets 452, and then 421."""
    play = greeted(House(recipients=100))
    play.say(b"MAIL FROM:<>\r\n")
    said = play.say(b"RCPT TO:<ann@our.example>\r\n" * 1000).splitlines()
    assert len(said) == 300 + 100 + 1
    assert said[300].startswith(b"452 4.5.3")
    assert said[-1].startswith(b"421 4.7.0")


def test_a_command_that_is_dribbled_must_be_whole_in_time():
    play = greeted(House())
    for _ in range(4):
        assert play.say(b"N") == b""
        play.wait(60)
    play.connection.feed(b"N")
    assert play.wait(61).startswith(b"421 4.4.2")
    assert play.connection.closed


@pytest.mark.parametrize(
    ("place", "fault", "code"),
    [
        ("intake", RuntimeError("ours"), b"451"),
        ("intake", NotStored("full"), b"452"),
        ("second hold", RuntimeError("ours"), b"451"),
        ("second hold", OSError(24, "Too many open files"), b"452"),
    ],
)
def test_no_hold_outlives_its_message(place, fault, code):
    house = House()
    begin = b"MAIL FROM:<>\r\nRCPT TO:<small@our.example>\r\nRCPT TO:<little@our.example>\r\nDATA\r\n"
    if place == "intake":
        house.intake.fault = fault
    else:
        house.quota.faults = {"little": fault}
    answer = send(greeted(house), b"From: a@b.example\r\n\r\n", begin)
    assert answer[:3] == code
    assert house.quota.holds == []


def test_in_lmtp_only_copies_that_were_committed_are_charged():
    house = House()
    play = Play(house.conversation, {"service": "lmtp"})
    play.say(b"LHLO client.example\r\n")
    play.say(b"MAIL FROM:<>\r\nRCPT TO:<small@our.example>\r\nRCPT TO:<full@our.example>\r\nDATA\r\n")
    play.say(b"From: a@b.example\r\n\r\n.\r\n")
    [(acceptance, content)] = house.intake.accepted
    assert house.quota.used == [("small", len(acceptance.actions[0].head + content))]
    assert house.quota.holds == []


def test_a_login_after_helo_is_still_smtp():
    """RFC 3848 knows ESMTPA, and no SMTPA."""
    house = House()
    letter = MESSAGE.replace(b"friend@client.example", b"ann@our.example")
    play = greeted(house, service="submission")
    play.say(LOGIN)
    send(play, letter, OWN)
    assert b"with SMTP\r\n" in house.intake.accepted[0][0].actions[0].head
    play = Play(house.conversation, {"service": "submission"})
    play.say(b"EHLO client.example\r\n")
    play.say(LOGIN)
    send(play, letter, OWN)
    assert b"with ESMTPA\r\n" in house.intake.accepted[1][0].actions[0].head


def test_the_header_of_a_large_message_is_judged_without_the_disk(tmp_path, monkeypatch):
    house = House(str(tmp_path), message_octets=10_000_000)
    play = greeted(house)
    monkeypatch.setattr(os, "pread", None)  # whoever reads the file now, fails
    play.say(BEGIN)
    play.say(MESSAGE + b"x" * 600_000 + b"\r\n")
    house.intake.reads_content = False
    assert play.say(b".\r\n").startswith(b"250")
    assert house.intake.accepted[0][0].facts["subject"] == "Grüße"
