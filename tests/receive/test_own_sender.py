"""As whom a user may send, in MAIL, From and Sender."""

import pytest
from dialogs.runner import Play
from smtp_house import House

from mailsys.control.at_once import at_once
from mailsys.submit.senders import Senders

PLAIN = {
    "ann": b"AUTH PLAIN AGFubkBvdXIuZXhhbXBsZQBjb3JyZWN0IGhvcnNl\r\n",
    "bob": b"AUTH PLAIN AGJvYkBvdXIuZXhhbXBsZQBjb3JyZWN0IGhvcnNl\r\n",
}


def logged_in(house, who="ann"):
    house.logins = type(house.logins)({f"{who}@our.example": "correct horse"})
    play = Play(house.conversation, {"service": "submission"})
    play.say(b"EHLO laptop.example\r\n")
    assert play.say(PLAIN[who]).startswith(b"235")
    return play


def mail(play, sender):
    reply = play.say(f"MAIL FROM:<{sender}>\r\n".encode())
    play.say(b"RSET\r\n")
    return reply


def message(play, header):
    play.say(b"MAIL FROM:<>\r\nRCPT TO:<eve@far.example>\r\n")
    play.say(b"DATA\r\n")
    return play.say(header + b"\r\nTo: eve@far.example\r\n\r\nHello\r\n.\r\n")


OWN = ("ann@our.example", "ANN@our.example", "ann+shop@our.example", "everybody@our.example",
       "everybody+x@our.example", "staff@our.example", "postmaster@our.example")  # fmt: skip
FOREIGN = ("bob@our.example", "nobody@our.example", "away@our.example", "loop@our.example",
           "x@other.example", "ann@elsewhere.example", "ann@[192.0.2.1]")  # fmt: skip


@pytest.mark.parametrize("sender", [*OWN, ""])
def test_what_leads_to_the_account_may_be_used(sender):
    assert mail(logged_in(House()), sender).startswith(b"250 2.1.0")


@pytest.mark.row(23)
@pytest.mark.parametrize("sender", FOREIGN)
def test_what_is_of_others_may_not(sender):
    """Row 23: refused at MAIL, with a sentence that tells what may be used."""
    play = logged_in(House())
    reply = mail(play, sender)
    assert reply.startswith(f"553 5.7.1 <ann@our.example> may not send as <{sender}>; use your own".encode())
    assert mail(play, "ann@our.example").startswith(b"250")


@pytest.mark.parametrize("sender", OWN)
def test_from_may_be_any_of_them(sender):
    house = House()
    assert message(logged_in(house), f"From: Ann <{sender}>".encode()).startswith(b"250")
    assert message(logged_in(house), f"From: {sender}\r\nSender: ann@our.example".encode()).startswith(b"250")


@pytest.mark.row(23)
@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"From: bob@our.example", b"550 5.7.1 <ann@our.example> may not write in From as <bob"),
        (b"From: Ann <ann@our.example>, bob@our.example", b"550 5.7.1 The From field must have exactly one"),
        (b"From: ann@our.example\r\nSender: bob@our.example", b"550 5.7.1 <ann@our.example> may not"),
        (b"From: bob@our.example\r\nSender: ann@our.example", b"550 5.7.1 <ann@our.example> may not"),
        (b"From: ann@our.example\r\nSender: somebody", b"550 5.7.1 The addresses of the Sender field"),
        (b"From: ann@our.example\r\nSender: ", b"550 5.7.1 The addresses of the Sender field"),
        (b"From: ann@our.example\r\nFrom: bob@our.example", b"550 5.7.1 The message has more than one From"),
        (b"From: \xc3\xbc@our.example", b"550 5.7.1 <ann@our.example> may not write in From as this"),
        (b"Subject: x", b"550 5.7.1 The message has no From field"),
        (b"Resent-From: ann@our.example\r\nFrom: bob@our.example", b"550 5.7.1 <ann@our.example> may not"),
    ],
)  # fmt: skip
def test_from_and_sender_of_others(header, said):
    """Row 23: at the end of the message; nothing of it is kept."""
    house = House()
    assert message(logged_in(house), header).startswith(said)
    assert house.intake.accepted == []


def test_an_address_of_a_catch_all_once_it_brought_mail():
    house = House()
    play = Play(house.conversation)
    play.say(b"HELO client.example\r\n")
    for recipient in (b"shop@other.example", b"bob@our.example"):
        play.say(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + recipient + b">\r\n")
        play.say(b"DATA\r\n")
        assert play.say(b"From: a@b.example\r\n\r\nx\r\n.\r\n").startswith(b"250")
    assert house.caught.noted == [("bob@our.example", "shop@other.example")]
    play = logged_in(house, "bob")
    assert mail(play, "SHOP@other.example").startswith(b"250")
    assert mail(play, "bank@other.example").startswith(b"553 5.7.1")


def test_missing_fields_are_added_and_the_client_is_hidden():
    house = House()
    play = logged_in(house)
    letter = b"From: ann@our.example\r\nBcc: bob@our.example\r\n\r\nHello\r\n"
    play.say(b"MAIL FROM:<ann@our.example>\r\nRCPT TO:<eve@far.example>\r\nRCPT TO:<bob@our.example>\r\n")
    play.say(b"DATA\r\n")
    assert play.say(letter + b".\r\n").startswith(b"250")
    ((acceptance, content),) = house.intake.accepted
    assert content == letter
    mailbox, waiting = acceptance.actions
    own_id = f"<{acceptance.envelope.id}@mail.our.example>"
    for action in (mailbox, waiting):
        received, date, message_id, nothing = action.head.rsplit(b"\r\n", 3)
        assert b"Received: by mail.our.example (mailsys) with ESMTPA\r\n" in received
        assert b"laptop" not in action.head
        assert b"127.0.0.1" not in action.head
        assert b"ann@" not in received.partition(b"Received:")[2]
        assert date == b"Date: Mon, 23 Nov 2026 15:04:05 +0000"
        assert message_id == f"Message-ID: {own_id}".encode()
        assert nothing == b""
    assert acceptance.facts["message_id"] == own_id
    assert acceptance.facts["login"] == "ann@our.example"
    assert acceptance.facts["peer"] == "127.0.0.1"


def test_strangers_get_nothing_added():
    house = House()
    play = Play(house.conversation)
    play.say(b"HELO client.example\r\n")
    play.say(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<bob@our.example>\r\n")
    play.say(b"DATA\r\n")
    play.say(b"From: a@b.example\r\n\r\nx\r\n.\r\n")
    ((acceptance, _),) = house.intake.accepted
    assert b"Date:" not in acceptance.actions[0].head
    assert b"from client.example ([127.0.0.1])" in acceptance.actions[0].head


@pytest.mark.row(23)
def test_over_the_limit_it_is_held_and_beyond_the_cap_refused():
    """Row 23: what waits is held with its reason, people here get theirs, and nothing is lost."""
    house = House()
    house.limits.held, house.limits.copies = "ann sent very much", 1
    play = logged_in(house)
    play.say(b"MAIL FROM:<ann@our.example>\r\n")
    assert play.say(b"RCPT TO:<eve@far.example>\r\n").startswith(b"250")
    assert play.say(b"RCPT TO:<adam@far.example>\r\n").startswith(b"452 4.7.1 You have sent all")
    assert play.say(b"RCPT TO:<bob@our.example>\r\n").startswith(b"250")
    play.say(b"DATA\r\n")
    assert b"held for now" in play.say(b"From: ann@our.example\r\n\r\nx\r\n.\r\n")
    ((acceptance, _),) = house.intake.accepted
    mailbox, waiting = acceptance.actions
    assert str(mailbox.account) == "bob@our.example"
    assert waiting.held == "ann sent very much"
    assert house.limits.counted == [("ann@our.example", ["eve@far.example"])]


def test_what_cannot_be_counted_comes_later():
    house = House()
    play = logged_in(house)
    play.say(b"MAIL FROM:<ann@our.example>\r\n")
    house.limits.fault = OSError("no disk")
    assert play.say(b"RCPT TO:<eve@far.example>\r\n").startswith(b"451 4.3.0")


@pytest.mark.parametrize(
    ("domain", "is_ours"),
    [
        ("our.example", True),
        ("news.our.example", True),
        (".".join([*"abcdefghi", "other.example"]), True),
        ("example", False),
        ("your.example", False),
        ("our.example.evil.test", False),
        ("[192.0.2.1]", False),
    ],
)
def test_which_domains_are_ours(domain, is_ours):
    house = House()
    assert at_once(Senders(house._router(), house.caught).is_ours(domain)) is is_ours
