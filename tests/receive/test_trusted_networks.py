"""Who may send to other hosts, and what goes into the queue then."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from dialogs.runner import Play
from smtp_house import NOW, House

from mailsys.control.at_once import at_once
from mailsys.interfaces import MailboxAction, Peer, QueueAction, Session
from mailsys.message.address import parse_address
from mailsys.receive.transaction import Transaction
from mailsys.wire.smtp.commands import Mail

OUTSIDE = b"RCPT TO:<ann@elsewhere.example>\r\n"
BEGIN = b"MAIL FROM:<friend@client.example>\r\n"
MESSAGE = b"From: friend@client.example\r\nSubject: x\r\n\r\nHello\r\n"


def trusting(*networks):
    house = House()
    house.relays_for = tuple(map(ip_network, networks))
    return house


def begun(house, hello=b"HELO client.example\r\n", **settings):
    play = Play(house.conversation, settings)
    play.connection.take()
    assert play.say(hello).startswith(b"250")
    play.say(BEGIN)
    return play


def test_strangers_may_not():
    play = begun(trusting("192.0.2.0/24"))
    assert play.say(OUTSIDE).startswith(b"550 5.7.1")


def test_who_is_trusted_may():
    house = trusting("127.0.0.0/8")
    play = begun(house)
    assert play.say(OUTSIDE).startswith(b"250")
    play.say(b"RCPT TO:<bob@our.example>\r\nRCPT TO:<eve@far.example>\r\nDATA\r\n")
    assert play.say(MESSAGE + b".\r\n").startswith(b"250")
    ((acceptance, content),) = house.intake.accepted
    mailbox, waiting = acceptance.actions
    assert isinstance(mailbox, MailboxAction)
    assert isinstance(waiting, QueueAction)
    assert waiting.envelope.recipients == (
        parse_address("ann@elsewhere.example"),
        parse_address("eve@far.example"),
    )
    assert len(acceptance.envelope.recipients) == 3
    assert waiting.envelope.id == acceptance.envelope.id
    assert waiting.head.startswith(b"Received: from client.example")
    assert b"Return-Path" not in waiting.head
    assert b"Delivered-To" not in waiting.head
    assert waiting.octets == len(waiting.head) + len(content)
    assert waiting.at == NOW


@pytest.mark.parametrize(("uid", "code"), [(0, 250), (33, 250), (1000, 550), (None, 550)])
def test_users_of_this_machine(uid, code):
    """As the kernel names them; without a name a local socket is no better than others."""
    house = trusting("127.0.0.0/8")
    admission = replace(house.reception().admission, relays_for_users=frozenset({0, 33}))
    session = Session("s1", Peer("", 0, "smtp", uid))
    transaction = Transaction("s1.1", Mail(None), None, 1000)
    reply, _ = at_once(admission.admit(session, transaction, parse_address("ann@elsewhere.example")))
    assert reply.code == code
    lmtp = Session("s2", Peer("", 0, "lmtp", uid))
    assert not admission.trusts(lmtp)


def test_nobody_over_lmtp():
    house = trusting("127.0.0.0/8")
    for service, code in (("lmtp", 550), ("smtp", 250)):
        session = Session("s1", Peer("127.0.0.1", 40000, service))
        transaction = Transaction("s1.1", Mail(None), None, 1000)
        admission = house.reception().admission
        reply, _ = at_once(admission.admit(session, transaction, parse_address("ann@elsewhere.example")))
        assert reply.code == code
