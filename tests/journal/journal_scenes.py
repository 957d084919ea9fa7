"""Sessions, messages and events for the journal's tests."""

from mailsys.interfaces import MailboxAction, Peer, Session
from mailsys.journal import events
from mailsys.message import reply as replies
from mailsys.message.address import parse_address
from mailsys.message.envelope import Envelope

NOON = 1_795_435_445.0  # 2026-11-23 12:04:05 UTC
ANN = parse_address("ann@example.net")
BOB = parse_address("bob@example.org")
BOB_X = parse_address("bob+x@example.org")
SALES = parse_address("sales@example.org")


def session(id_="4k2m9x7qa", **changes):
    """A connection of a well-behaved host, over TLS."""
    known = {
        "greeting": "mail.example.net",
        "protocol": "ESMTPS",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
    } | changes
    return Session(id_, known.pop("peer", Peer("192.0.2.7", 40_000, "smtp")), **known)


def accepted(
    id_="4k2m9x7qa.1",
    at=NOON,
    to=(BOB,),
    via=None,
    sender=ANN,
    size=10_240,
    of=None,
    judgement="accept",
    **texts,
):
    """The event of a message that was taken."""
    facts = events.reception(
        of or session(id_.partition(".")[0]),
        via=via or {},
        checked=["one From mailbox", "2 hops"],
        judgement=judgement,
        reply=replies.OK,
        message_id=texts.get("message_id", "<lunch@example.net>"),
        subject=texts.get("subject", "Lunch"),
    )
    return events.received(Envelope(id_, sender, tuple(to)), size, facts, at)


def copy(recipient=BOB, account=BOB, folder="INBOX", name="1795435445.M1P7Q1.mail,S=10400"):
    return MailboxAction(account, recipient, folder, name, b"")


def delivered(id_="4k2m9x7qa.1", at=NOON, **action):
    """The event of a copy that lies in its folder."""
    return events.delivered(id_, copy(**action), at)


def message(id_="4k2m9x7qa.1", at=NOON):
    """A message with one recipient, whole."""
    return [accepted(id_, at), delivered(id_, at)]
