"""Recipients that lead to other hosts: what is committed for them, in one go with copies for mailboxes."""

from ipaddress import ip_network

import pytest
from dialogs.runner import Play
from smtp_house import REWRITING, House
from test_noting_senders import Fixed

from mailsys.interfaces import Disposition, Finding, MailboxAction, QueueAction, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import parse_address

MESSAGE = b"From: friend@client.example\r\nSubject: x\r\n\r\nHello\r\n.\r\n"
ANN, EVE = parse_address("ann@elsewhere.example"), parse_address("eve@far.example")
AWAY, BOTH = parse_address("away@our.example"), parse_address("both@our.example")


def hand_in(house, *recipients, sender="friend@client.example", message=MESSAGE):
    play = Play(house.conversation)
    play.connection.take()
    play.say(b"HELO client.example\r\n")
    play.say(f"MAIL FROM:<{sender}>\r\n".encode())
    for recipient in recipients:
        assert play.say(f"RCPT TO:<{recipient}>\r\n".encode()).startswith(b"250")
    play.say(b"DATA\r\n")
    return play.say(message)


def test_it_waits_for_the_other_host():
    house = House()
    assert hand_in(house, "away@our.example").startswith(b"250")
    ((acceptance, content),) = house.intake.accepted
    (waiting,) = acceptance.actions
    assert isinstance(waiting, QueueAction)
    assert waiting.envelope.recipients == (ANN,)
    assert waiting.envelope.forwarded == {ANN: AWAY}
    assert waiting.octets == len(waiting.head) + len(content)
    assert not waiting.envelope.is_vouched_for
    assert acceptance.envelope.recipients == (AWAY,)
    assert (
        "mail for away@our.example is forwarded to ann@elsewhere.example"
        in acceptance.facts["via"][str(AWAY)]
    )


def test_mailboxes_and_other_hosts_together():
    """A full mailbox does not keep the others from their mail, here or elsewhere."""
    house = House()
    assert hand_in(house, "both@our.example", "away@our.example", "bob@our.example").startswith(b"250")
    ((acceptance, _content),) = house.intake.accepted
    copies = [action for action in acceptance.actions if isinstance(action, MailboxAction)]
    (waiting,) = [action for action in acceptance.actions if isinstance(action, QueueAction)]
    assert [str(copy.account) for copy in copies] == ["full@our.example", "bob@our.example"]
    assert waiting.envelope.recipients == (EVE, ANN)
    assert waiting.envelope.forwarded[EVE] == BOTH
    assert house.quota.holds == []


def test_whoever_was_written_to_is_not_forwarded_to():
    house = House()
    house.relays_for = (ip_network("127.0.0.0/8"),)
    hand_in(house, "away@our.example", "ann@elsewhere.example")
    ((acceptance, _content),) = house.intake.accepted
    (waiting,) = acceptance.actions
    assert waiting.envelope.recipients == (ANN,)
    assert waiting.envelope.forwarded == {}


def test_a_notice_goes_back_to_the_writer():
    house = House()
    address = REWRITING.rewrite(EVE, "our.example")
    assert hand_in(house, str(address), sender="").startswith(b"250")
    ((acceptance, _content),) = house.intake.accepted
    (waiting,) = acceptance.actions
    assert waiting.envelope.reverse_path is None
    assert waiting.envelope.forwarded == {EVE: address}


def test_a_message_that_comes_back_is_refused():
    """The host to which it was forwarded sends it to us again: its Delivered-To names the alias."""
    house = House()
    answer = hand_in(house, "away@our.example", message=b"Delivered-To: AWAY@our.example\r\n" + MESSAGE)
    assert answer.startswith(b"554 5.4.6")
    assert house.intake.accepted == []


# ---------------------------------------------------------------------- what is not sent on in our name


class KeepsHere(SilentJudge):
    name = "keeps"

    async def message(self, session, envelope, content):
        return Verdict(Disposition.ACCEPT, "a list has brought it", stays_here=True)


BAD = pytest.mark.parametrize("judge", [Fixed(Disposition.JUNK), KeepsHere()], ids=["junk", "stays"])


@BAD
@pytest.mark.parametrize("recipients", [["away@our.example"], ["bob@our.example", "away@our.example"]])
def test_junk_for_other_hosts_alone_is_refused(judge, recipients):
    house = House()
    house.judges = (judge,)
    answer = hand_in(house, *recipients)
    assert answer.startswith(b"550 5.7.1")
    assert b"not forwarded to other hosts as an alias wants: <away@our.example>" in answer
    assert house.intake.accepted == []
    assert [event.facts["command"] for event in house.journal.events] == ["DATA"]


@BAD
def test_junk_with_a_mailbox_here_stays_in_it(judge):
    house = House()
    house.aliases = {"both@our.example": "bob@our.example eve@far.example"}
    assert hand_in(house, "both@our.example").startswith(b"250")
    ((acceptance, _content),) = house.intake.accepted
    assert [type(action) for action in acceptance.actions] == [MailboxAction, QueueAction]
    house.judges = (judge,)
    assert hand_in(house, "both@our.example").startswith(b"250")
    acceptance, _content = house.intake.accepted[1]
    (copy,) = acceptance.actions
    assert copy.folder == ("Junk" if judge.name == "fixed" else "INBOX")
    via = acceptance.facts["via"][str(BOTH)]
    assert via[-1] == "it is not forwarded to eve@far.example, since that would go in our name"


def test_over_lmtp_each_recipient_hears_its_own_answer():
    house = House()
    house.judges = (Fixed(Disposition.JUNK),)
    play = Play(house.conversation, {"service": "lmtp"})
    play.connection.take()
    play.say(b"LHLO x\r\n")
    play.say(b"MAIL FROM:<a@client.example>\r\n")
    for recipient in (b"away@our.example", b"bob@our.example"):
        assert play.say(b"RCPT TO:<" + recipient + b">\r\n").startswith(b"250")
    play.say(b"DATA\r\n")
    first, second = play.say(MESSAGE).splitlines()
    assert first.startswith(b"550 5.7.1")
    assert second.startswith(b"250")
    ((acceptance, _content),) = house.intake.accepted
    assert [str(one) for one in acceptance.envelope.recipients] == ["bob@our.example"]


@pytest.mark.parametrize("sender", ["spam@client.example", "ann@our.example"])
def test_a_return_address_takes_notices_only(sender):
    house = House()
    play = Play(house.conversation)
    play.connection.take()
    play.say(b"EHLO x\r\n")
    play.say(f"MAIL FROM:<{sender}>\r\n".encode())
    answer = play.say(f"RCPT TO:<{REWRITING.rewrite(EVE, 'our.example')}>\r\n".encode())
    assert answer.startswith(b"550 5.7.1")
    assert b"MAIL FROM:<>" in answer


@pytest.mark.row(32)
def test_an_empty_sender_of_a_stranger_is_not_vouched_for_by_its_host():
    house = House()
    house.judges = (Fixed(Disposition.ACCEPT, Finding("spf", "pass", "client.example")),)
    hand_in(house, "away@our.example", sender="")
    hand_in(house, "away@our.example")
    assert [one.envelope.is_vouched_for for one, _content in house.intake.accepted] == [False, True]
