"""What every queue spool must do, whatever it keeps mail in (the contract of IQueueSpool).

Subclass :class:`QueueSpoolContract` with a fixture ``spool`` whose ``put`` lets a message come in.
"""

import math
from dataclasses import replace

from queue_parts import ANN, BEGAN, BUSY, OK, REFUSED, message, result_of
from zope.interface.verify import verifyObject

from mailsys.interfaces import (
    IQueueSpool,
    Notice,
    Order,
    Progress,
    QueuedRecipient,
    RecipientState,
    Selection,
    Verb,
)
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope

LATE = BEGAN + 10**6
WAITING, DELIVERED, FAILED = RecipientState.WAITING, RecipientState.DELIVERED, RecipientState.FAILED
BOB = Address("bob", "far.test")


def progress(address, state, at=BEGAN, *, attempt=OK, next_attempt=0.0, attempts=1):
    return Progress(QueuedRecipient(address, attempts), state, at, attempt, next_attempt, "said so")


class QueueSpoolContract:
    """Test classes inherit from it."""

    def due(self, spool, destination="far.test", now=LATE, limit=10, busy=()):
        return result_of(spool.due(destination, now, limit, busy))

    def record(self, spool, id_, *changes, notices=()):
        result_of(spool.record(message(id_), changes, notices))

    def order(self, spool, verb, busy=(), **selection):
        changed = result_of(spool.carry_out(Order(verb, Selection(**selection)), BEGAN + 50, busy))
        return sorted((one.id, str(one.address)) for one in changed)

    def test_it_provides_the_interface(self, spool):
        assert verifyObject(IQueueSpool, spool)

    def test_an_empty_spool(self, spool):
        assert result_of(spool.destinations()) == {}
        assert self.due(spool).items == ()
        assert self.due(spool).next_due == math.inf

    def test_what_comes_in_is_due_at_once(self, spool):
        spool.put(message("m1", "bob@far.test", "cid@far.test", "eve@near.test"))
        assert result_of(spool.destinations()) == {"far.test": BEGAN, "near.test": BEGAN}
        (item,) = self.due(spool, now=BEGAN).items
        assert [str(one.address) for one in item.recipients] == ["bob@far.test", "cid@far.test"]
        assert (
            item.message.envelope == message("m1", "bob@far.test", "cid@far.test", "eve@near.test").envelope
        )
        assert b"".join(item.message.content.pieces()).startswith(b"Subject")
        assert item.recipients[0].attempts == 0

    def test_who_listens_hears_of_it(self, spool):
        heard = []
        spool.watch(heard.append)
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        spool.put(message("m2"), held="over the limit")
        spool.put(message("m3"), not_before=LATE)
        assert [(item.message.id, item.destination) for item in heard] == [
            ("m1", "far.test"),
            ("m1", "near.test"),
        ]

    def test_the_longest_due_come_first_and_the_rest_is_told(self, spool):
        for number in range(4):
            spool.put(message(f"m{number}", at=BEGAN - number))
        batch = self.due(spool, limit=2, busy={"m3"})
        assert [item.message.id for item in batch.items] == ["m2", "m1"]
        assert batch.next_due == BEGAN
        assert self.due(spool, now=BEGAN - 2).next_due == BEGAN - 1

    def test_a_message_that_is_not_to_be_tried_yet(self, spool):
        spool.put(message("m1"), not_before=BEGAN + 100)
        assert self.due(spool, now=BEGAN + 99) == replace(self.due(spool, now=BEGAN), items=())
        assert len(self.due(spool, now=BEGAN + 100).items) == 1

    def test_an_outcome_for_each_recipient(self, spool):
        spool.put(message("m1", "bob@far.test", "cid@far.test"))
        cid = Address("cid", "far.test")
        self.record(
            spool,
            "m1",
            progress(BOB, DELIVERED),
            progress(cid, WAITING, attempt=BUSY, next_attempt=BEGAN + 900),
        )
        assert self.due(spool, now=BEGAN + 899).items == ()
        (item,) = self.due(spool, now=BEGAN + 900).items
        (recipient,) = item.recipients
        assert (recipient.address, recipient.attempts, recipient.reason) == (cid, 1, "said so")
        self.record(spool, "m1", progress(cid, FAILED, BEGAN + 901, attempt=REFUSED, attempts=2))
        assert result_of(spool.destinations()) == {}
        states = {(str(one.recipient.address), one.state) for _, one in result_of(spool.outcomes(BEGAN))}
        assert states == {("bob@far.test", DELIVERED), ("cid@far.test", FAILED)}

    def test_an_outcome_stays(self, spool):
        spool.put(message("m1"))
        self.record(spool, "m1", progress(BOB, DELIVERED))
        self.record(spool, "m1", progress(BOB, FAILED, BEGAN + 1, attempt=REFUSED))
        ((_, outcome),) = result_of(spool.outcomes(0.0))
        assert outcome.state is DELIVERED

    def test_a_notice_comes_in_with_the_outcome(self, spool):
        heard = []
        spool.put(message("m1"))
        spool.watch(heard.append)
        notice = Notice(Envelope("n1", None, (ANN,)), MemoryContent([b"Subject: sorry\r\n\r\n"]))
        self.record(spool, "m1", progress(BOB, FAILED, attempt=REFUSED), notices=[notice])
        (item,) = self.due(spool, "home.test").items
        assert item.message.envelope == notice.envelope
        assert b"".join(item.message.content.pieces()) == b"Subject: sorry\r\n\r\n"
        assert [one.message.id for one in heard] == ["n1"]

    def test_those_of_an_age(self, spool):
        for number in range(3):
            spool.put(message(f"m{number}", "bob@far.test", "eve@near.test", at=BEGAN + number))
        found = result_of(spool.aged(BEGAN, BEGAN + 2, 10))
        assert [(item.message.id, item.destination) for item in found] == [
            ("m1", "far.test"),
            ("m1", "near.test"),
            ("m2", "far.test"),
            ("m2", "near.test"),
        ]
        assert {item.message.id for item in result_of(spool.aged(0.0, LATE, 1))} == {"m0"}

    def test_orders_select_by_id_address_and_domain(self, spool):
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        spool.put(message("m2", "bob@far.test", sender=Address("zoe", "home.test")))
        assert self.order(spool, Verb.HOLD, domain="near.test") == [("m1", "eve@near.test")]
        assert self.order(spool, Verb.HOLD, address="zoe@home.test") == [("m2", "bob@far.test")]
        assert self.order(spool, Verb.RELEASE) == [("m1", "eve@near.test"), ("m2", "bob@far.test")]
        assert self.order(spool, Verb.HOLD, id="m1", address="bob@far.test") == [("m1", "bob@far.test")]
        assert self.order(spool, Verb.HOLD, domain="ar.test") == []

    def test_what_is_held_is_not_due_until_it_is_released(self, spool):
        spool.put(message("m1"))
        self.order(spool, Verb.HOLD)
        assert result_of(spool.destinations()) == {}
        self.order(spool, Verb.RELEASE)
        assert result_of(spool.destinations()) == {"far.test": BEGAN + 50}

    def test_a_retry_makes_it_due_now(self, spool):
        spool.put(message("m1"))
        self.record(spool, "m1", progress(BOB, WAITING, attempt=BUSY, next_attempt=LATE))
        assert self.order(spool, Verb.RETRY) == [("m1", "bob@far.test")]
        assert result_of(spool.destinations()) == {"far.test": BEGAN + 50}

    def test_what_is_removed_has_an_outcome(self, spool):
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        self.record(spool, "m1", progress(BOB, DELIVERED))
        assert self.order(spool, Verb.REMOVE) == [("m1", "eve@near.test")]
        assert result_of(spool.destinations()) == {}
        assert len(result_of(spool.outcomes(0.0))) == 2

    def test_an_order_leaves_what_is_under_way(self, spool):
        spool.put(message("m1"))
        assert self.order(spool, Verb.REMOVE, busy={"m1"}) == []

    def test_after_the_clock_was_set_back_nobody_waits_longer(self, spool):
        spool.put(message("m1"))
        spool.put(message("m2"), not_before=LATE)
        self.record(spool, "m1", progress(BOB, WAITING, attempt=BUSY, next_attempt=LATE))
        assert result_of(spool.clamp(BEGAN + 3600, BEGAN)) == 1
        assert [item.message.id for item in self.due(spool, now=BEGAN).items] == ["m1"]

    def test_what_was_finished_is_forgotten_in_time(self, spool):
        for id_ in ("m1", "m2"):
            spool.put(message(id_))
        self.record(spool, "m1", progress(BOB, DELIVERED))
        assert result_of(spool.prune(BEGAN, 10)) == 0
        assert result_of(spool.prune(BEGAN + 1, 10)) == 1
        assert result_of(spool.outcomes(0.0)) == []
        assert len(self.due(spool).items) == 1
