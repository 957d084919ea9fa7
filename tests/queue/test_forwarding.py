"""Mail that an alias sends to other hosts: as whom it goes, what is put in front, and what is told."""

import pytest
from queue_parts import ANN, BUSY, World, result_of

from mailsys.interfaces import DirectoryUnavailable, Refused
from mailsys.message import reply as replies
from mailsys.message.address import Address, parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred
from mailsys.message.srs import SenderRewriting, SrsKey
from mailsys.queue.forwarding import Forwarding

WRITER = parse_address("ann@writer.test")
SALES, INFO = parse_address("sales@home.test"), parse_address("info@other.test")
BOB, CYD, EVE = (parse_address(f"{name}@far.test") for name in ("bob", "cyd", "eve"))
LETTER = MemoryContent((b"Received: by home\r\nSubject: x\r\n\r\nhello\r\n",))
REWRITING = SenderRewriting([SrsKey(b"k" * 32)], lambda: 20_000)


class Away(World):
    """Remembers with what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    async def deliver(self, envelope, content, recipients):
        text = b"".join(content.pieces())
        self.asked.append((str(envelope.reverse_path or ""), text, [str(one) for one in recipients]))
        return await super().deliver(envelope, content, recipients)


class Ours:
    """Knows home.test."""

    fault = None

    async def route(self, recipient):
        if self.fault:
            raise self.fault
        return Refused(replies.NO_SUCH_USER) if recipient.domain == "home.test" else None


@pytest.fixture
def away():
    return Away()


def deliver(away, *recipients, sender=WRITER, ours=None, **forwarded):
    aliases = {BOB: SALES, CYD: SALES, EVE: INFO}
    aliases = {target: alias for target, alias in aliases.items() if target in recipients}
    envelope = Envelope("m.1", sender, recipients, forwarded=aliases, **forwarded)
    forwarding = Forwarding(lambda: ours or Ours(), REWRITING, away)
    return result_of(forwarding.deliver(envelope, LETTER, recipients))


def test_each_alias_has_a_transaction_of_its_own(away):
    """Its return address is of its own domain, and no host learns of the others."""
    attempts = deliver(away, BOB, ANN, EVE, CYD)
    text = b"".join(LETTER.pieces())
    of_sales, of_info = REWRITING.rewrite(WRITER, "home.test"), REWRITING.rewrite(WRITER, "other.test")
    assert away.asked == [
        (str(of_sales), b"Delivered-To: sales@home.test\r\n" + text, ["bob@far.test", "cyd@far.test"]),
        ("ann@writer.test", text, [str(ANN)]),
        (str(of_info), b"Delivered-To: info@other.test\r\n" + text, ["eve@far.test"]),
    ]
    assert (attempts[BOB].forwarded_for, attempts[BOB].sent_as) == (SALES, of_sales)
    assert (attempts[ANN].forwarded_for, attempts[ANN].sent_as) == (None, None)


@pytest.mark.row(31)
@pytest.mark.parametrize("sender", [None, parse_address("gone@home.test")], ids=str)
def test_nobody_and_our_own_stay_as_they_are(away, sender):
    """Row 31: a notice must not become a message that can be answered."""
    deliver(away, BOB, sender=sender, is_vouched_for=True)
    assert [asked[0] for asked in away.asked] == [str(sender or "")]


def test_a_stranger_under_an_address_of_ours_does_not_keep_it(away):
    deliver(away, BOB, sender=parse_address("boss@home.test"))
    assert away.asked[0][0].startswith("SRS0=")
    assert away.asked[0][0].endswith("=home.test=boss@home.test")


def test_what_was_forwarded_before(away):
    deliver(away, BOB, sender=parse_address("SRS0=abcd=xy=writer.test=ann@before.test"))
    assert away.asked[0][0].startswith("SRS1=")
    assert away.asked[0][0].endswith("=before.test==abcd=xy=writer.test=ann@home.test")


def test_a_sender_that_is_too_long_to_be_rewritten(away):
    sender = Address("x" * 64, ".".join(["y" * 60] * 3))
    deliver(away, BOB, sender=sender)
    assert away.asked[0][0] == str(sender)


def test_what_another_host_says_is_told(away):
    away.answers["far.test"] = BUSY
    attempts = deliver(away, BOB)
    assert attempts[BOB].outcome == BUSY.outcome
    assert attempts[BOB].forwarded_for == SALES


def test_it_waits_while_nobody_knows_what_is_ours(away):
    ours = Ours()
    ours.fault = DirectoryUnavailable("locked")
    attempts = deliver(away, BOB, ANN, ours=ours, is_vouched_for=True)
    assert attempts[BOB].outcome == Deferred(replies.LOCAL_ERROR)
    assert [asked[2] for asked in away.asked] == [[str(ANN)]]


def test_nothing_is_done_to_what_is_not_forwarded(away):
    ours = Ours()
    ours.fault = AssertionError("nobody is asked")
    deliver(away, ANN, ours=ours)
    assert away.asked == [("ann@writer.test", b"".join(LETTER.pieces()), [str(ANN)])]
