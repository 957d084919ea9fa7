"""Recipients in the queue who live here: into their mailboxes, and what happens where that cannot be."""

import sys
from dataclasses import dataclass, field

import pytest
from queue_parts import ANN, OK, World, result_of
from zope.interface import alsoProvides

from mailsys.interfaces import (
    Account,
    DirectoryUnavailable,
    IRepeatableDrop,
    MailboxAction,
    NotStored,
    Refused,
    ToDelivery,
    ToMailboxes,
)
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope, NoticeWish, Notify
from mailsys.message.outcome import Deferred, Delivered, Failed
from mailsys.queue.home import HomeOrAway
from mailsys.queue.laying import Home
from mailsys.threads import NoThreads

EVE, FAR = Address("eve", "home.test"), Address("bob", "far.test")
NOTICE = MemoryContent((b"Subject: about it\r\n\r\nIt failed.\r\n",))


@dataclass
class House:
    """Everything that home needs; ``routes`` say where addresses lead."""

    routes: dict = field(default_factory=dict)
    full: bool = False
    fault: Exception | None = None
    committed: list = field(default_factory=list)
    held: int = 0
    used: int = 0
    laid: dict = field(default_factory=dict)  # octets by name
    discarded: list = field(default_factory=list)

    async def route(self, recipient):
        route = self.routes.get(recipient)
        if isinstance(route, Exception):
            raise route
        return route

    async def commit(self, acceptance):
        if self.fault is not None:
            raise self.fault
        self.committed.append(acceptance)

    async def hold(self, account, octets):
        self.held += not self.full
        return not self.full

    def release(self, account, octets, *, used):
        self.held -= 1
        self.used += used

    def plan(self, account, recipient, head, content_size, *, crlf=True):
        return MailboxAction(account.address, recipient, "INBOX", "name", head)

    def plan_again(self, account, recipient, head, content_size, identity, *, crlf=True):
        return MailboxAction(account.address, recipient, "INBOX", identity.digest, head)

    def discard(self, action):
        self.discarded.append(action.name)

    def laid_octets(self, action):
        if self.laid is None:
            raise OSError("disk")
        return self.laid.get(action.name)


@pytest.fixture
def house():
    return House(
        {ANN: ToMailboxes((Account(ANN),)), EVE: ToMailboxes((Account(ANN, 1000), Account(EVE, 1000)))}
    )


@pytest.fixture
def away():
    return World()


def deliver(house, away, *recipients, wishes=None, **deliveries):
    home = Home(house, house, house, house, house, NoThreads(), lambda: 99.0, deliveries)
    envelope = Envelope("n.1", None, recipients, wishes=wishes or {})
    return result_of(HomeOrAway(lambda: home, away).deliver(envelope, NOTICE, recipients))


def test_a_copy_is_laid(house, away):
    attempt = deliver(house, away, ANN)[ANN]
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.remote == ""
    [acceptance] = house.committed
    [action] = acceptance.actions
    assert action.account == ANN
    assert action.head == b"Return-Path: <>\r\nDelivered-To: ann@home.test\r\n"
    assert acceptance.content is NOTICE
    assert away.tried == []


def test_an_alias_and_somebody_elsewhere(house, away):
    attempts = deliver(house, away, EVE, FAR)
    assert attempts[FAR] is OK
    assert away.tried == [("n.1", ("bob@far.test",))]
    [acceptance] = house.committed
    assert [action.account for action in acceptance.actions] == [ANN, EVE]
    assert acceptance.actions[0].head.endswith(b"X-Original-To: eve@home.test\r\n")
    assert house.held == 0
    assert house.used == sum(len(action.head) + NOTICE.size for action in acceptance.actions)


def test_no_room(house, away):
    house.full = True
    assert deliver(house, away, EVE)[EVE].outcome == Deferred(replies.MAILBOX_FULL)
    assert house.committed == []
    assert house.held == 0


def test_an_alias_that_forwards(house, away):
    """One record: copies here, and one that waits under a name of its own."""
    house.routes[EVE] = ToMailboxes((Account(ANN),), outside=(FAR,))
    attempt = deliver(house, away, EVE)[EVE]
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.said == "forwarded as message n.1.1"
    [acceptance] = house.committed
    copy, waiting = acceptance.actions
    assert copy.account == ANN
    assert acceptance.envelope == Envelope("n.1.1", None, (EVE,))
    assert waiting.envelope == Envelope("n.1.1", None, (FAR,), forwarded={FAR: EVE})
    assert (waiting.at, waiting.octets) == (99.0, NOTICE.size)
    assert acceptance.facts == {"continues": "n.1"}
    assert away.tried == []


@pytest.mark.row(31)
@pytest.mark.parametrize(("id_", "goes_on"), [("n.1.1.1.1", True), ("n.1.1.1.1.1", False)])
def test_what_goes_round_within_this_host_ends(house, away, id_, goes_on):
    """Row 31: routers of plugins may send it to and fro, and no host in between would count."""
    house.routes[FAR] = ToMailboxes((), outside=(EVE,))
    home = Home(house, house, house, house, house, NoThreads(), lambda: 99.0)
    envelope = Envelope(id_, None, (FAR,), forwarded={FAR: EVE})
    attempt = result_of(HomeOrAway(lambda: home, away).deliver(envelope, NOTICE, (FAR,)))[FAR]
    assert isinstance(attempt.outcome, Delivered) is goes_on
    assert goes_on or attempt.outcome == Failed(replies.ALIAS_LOOP)
    assert len(house.committed) == goes_on


def test_what_is_there_from_an_attempt_before_is_not_laid_again(house, away):
    """The process ended before the queue heard of it; room is asked for what is missing alone."""
    alsoProvides(house, IRepeatableDrop)
    deliver(house, away, EVE)
    [acceptance] = house.committed
    of_ann, of_eve = [action.name for action in acceptance.actions]
    assert of_ann != of_eve
    house.laid = {of_ann: 10}
    house.discarded.clear()
    deliver(house, away, EVE)
    assert [action.name for action in house.committed[1].actions] == [of_eve]
    assert house.discarded == [of_eve]  # what is written and not committed gives way
    house.laid[of_eve] = 10
    house.full = True
    assert isinstance(deliver(house, away, EVE)[EVE].outcome, Delivered)
    assert len(house.committed) == 2
    assert house.held == 0
    # Another recipient of the same message is another matter, and so is another message.
    house.full = False
    deliver(house, away, ANN, EVE)
    assert {action.name for action in house.committed[-1].actions}.isdisjoint(house.laid)


def test_one_copy_an_account_whoever_leads_to_it(house, away):
    """ann is named, and stands behind eve as well; who had no room for the first has none for the second."""
    attempts = deliver(house, away, ANN, EVE)
    assert all(isinstance(one.outcome, Delivered) for one in attempts.values())
    copied = [[action.account for action in acceptance.actions] for acceptance in house.committed]
    assert copied == [[ANN], [EVE]]
    house.full = True
    deliver(house, away, ANN, EVE)
    assert [action.account for action in house.committed[2].actions] == [ANN]
    assert len(house.committed) == 3
    house.routes[ANN] = ToMailboxes((Account(ANN, 10),))
    attempts = deliver(house, away, ANN, EVE)
    assert [one.outcome for one in attempts.values()] == [Deferred(replies.MAILBOX_FULL)] * 2
    assert house.held == 0


def test_what_an_alias_forwards_is_forwarded_once(house, away):
    house.routes[EVE] = ToMailboxes((Account(ANN),), outside=(FAR,))
    house.laid = {"n.1.1": sys.maxsize}
    attempt = deliver(house, away, EVE)[EVE]
    assert attempt.said == "forwarded as message n.1.1"
    [acceptance] = house.committed
    assert [type(action) for action in acceptance.actions] == [MailboxAction]


@pytest.mark.parametrize(
    ("wished", "left"),
    [
        ({Notify.SUCCESS, Notify.FAILURE}, {Notify.FAILURE}),
        ({Notify.SUCCESS}, {Notify.NEVER}),
        ({Notify.DELAY}, {Notify.DELAY}),
    ],
)
def test_success_behind_an_alias_is_told_once(house, away, wished, left):
    """By the copy that lies here; without one, by what is forwarded."""
    wish = NoticeWish(frozenset(wished), "rfc822;eve@home.test")
    house.routes[EVE] = ToMailboxes((Account(ANN),), outside=(FAR,))
    attempt = deliver(house, away, EVE, wishes={EVE: wish})[EVE]
    [acceptance] = house.committed
    waiting = acceptance.actions[-1]
    assert waiting.envelope.wish(FAR) == NoticeWish(frozenset(left), "rfc822;eve@home.test")
    assert acceptance.envelope.wishes == waiting.envelope.wishes
    assert not attempt.hands_on_notices
    house.routes[EVE] = ToMailboxes((), outside=(FAR,))
    attempt = deliver(house, away, EVE, wishes={EVE: wish})[EVE]
    assert house.committed[1].actions[-1].envelope.wish(FAR) == wish
    assert attempt.hands_on_notices


def test_a_mailbox_that_cannot_be_looked_into_waits(house, away):
    house.laid = None  # looking raises
    attempt = deliver(house, away, EVE)[EVE]
    assert attempt.outcome.reply.enhanced == "4.3.1"
    assert (house.committed, house.held) == ([], 0)


def test_who_is_forwarded_does_not_wait_for_room(house, away):
    house.full = True
    house.routes[EVE] = ToMailboxes((Account(EVE, 1000),), outside=(FAR,))
    assert isinstance(deliver(house, away, EVE)[EVE].outcome, Delivered)
    [acceptance] = house.committed
    assert len(acceptance.actions) == 2
    house.fault = OSError("disk")
    assert isinstance(deliver(house, away, EVE)[EVE].outcome, Deferred)


@pytest.mark.parametrize("fault", [NotStored("not open"), OSError("disk")], ids=repr)
def test_what_could_not_be_written_waits(house, away, fault):
    house.fault = fault
    outcome = deliver(house, away, EVE)[EVE].outcome
    assert isinstance(outcome, Deferred)
    assert outcome.reply.enhanced == "4.3.1"
    assert house.held == 0


@pytest.mark.parametrize(
    ("route", "outcome"),
    [
        (Refused(replies.NO_SUCH_USER), Failed(replies.NO_SUCH_USER)),
        (Refused(replies.LOCAL_ERROR), Deferred(replies.LOCAL_ERROR)),
        (DirectoryUnavailable("locked"), Deferred(replies.LOCAL_ERROR)),
        (ToDelivery("unknown"), Deferred(replies.LOCAL_ERROR)),
    ],
    ids=["refused", "for now", "unavailable", "no delivery"],
)
def test_what_becomes_of_others(house, away, route, outcome):
    house.routes[ANN] = route
    assert deliver(house, away, ANN)[ANN].outcome == outcome
    assert away.tried == []


def test_a_delivery_of_its_own(house, away):
    house.routes[ANN] = ToDelivery("pipe")
    pipe = World()
    assert deliver(house, away, ANN, pipe=pipe)[ANN] is OK
    assert pipe.tried == [("n.1", ("ann@home.test",))]
