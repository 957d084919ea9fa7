"""Recipients that lead to other hosts: what is committed for them, in one go with copies for mailboxes."""

from ipaddress import ip_network

from dialogs.runner import Play
from smtp_house import REWRITING, House

from mailsys.interfaces import MailboxAction, QueueAction
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
