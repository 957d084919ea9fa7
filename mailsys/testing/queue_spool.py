"""What every queue spool must do."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import (
    Attempt,
    Batch,
    IQueueSpool,
    Notice,
    Order,
    Progress,
    QueuedMessage,
    QueuedRecipient,
    RecipientState,
    Selection,
    Verb,
)
from mailsys.message.address import Address, parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Failed, Step
from mailsys.message.reply import Reply
from mailsys.testing.services import Asking

BEGAN = 1_800_000_000.0
LATE = BEGAN + 10**6
WAITING, DELIVERED, FAILED = RecipientState.WAITING, RecipientState.DELIVERED, RecipientState.FAILED
ANN, BOB = Address("ann", "home.test"), Address("bob", "far.test")
OK = Attempt(Delivered("mx.far.test"), Step.MESSAGE, "mx.far.test [192.0.2.1]:25", "TLSv1.3", "250 thanks")
BUSY = Attempt(Deferred(Reply(451, "4.7.1", "come back later")), Step.RCPT, "mx", "", "451 later")
REFUSED = Attempt(Failed(Reply(550, "5.1.1", "no such user")), Step.RCPT, "mx", "", "550 no such user")


def message(id_: str, *recipients: str, at: float = BEGAN, sender: Address = ANN) -> QueuedMessage:
    """A message that comes in; without recipients it is for bob@far.test."""
    addresses = tuple(map(parse_address, recipients or ("bob@far.test",)))
    return QueuedMessage(Envelope(id_, sender, addresses), at, MemoryContent([b"Subject: x\r\n\r\nx\r\n"]))


def progress(
    address: Address,
    state: RecipientState,
    at: float = BEGAN,
    *,
    attempt: Attempt = OK,
    next_attempt: float = 0.0,
    attempts: int = 1,
) -> Progress:
    """What became of a recipient."""
    return Progress(QueuedRecipient(address, attempts), state, at, attempt, next_attempt, "said so")


class QueueSpoolContract(Asking):
    """Give it a fixture ``spool``: an IQueueSpool with ``put(message, held=…, not_before=…)``, by which mail
    comes in.  The destination of a recipient is its domain.
    """

    @pytest.fixture
    def spool(self) -> Any:
        """What is tested."""
        raise NotImplementedError

    def _due(
        self,
        spool: Any,
        destination: str = "far.test",
        now: float = LATE,
        limit: int = 10,
        busy: Collection[str] = (),
    ) -> Batch:
        batch: Batch = self.wait_for(spool.due(destination, now, limit, busy))
        return batch

    def _record(self, spool: Any, id_: str, *changes: Progress, notices: Sequence[Notice] = ()) -> None:
        self.wait_for(spool.record(message(id_), changes, notices))

    def _order(
        self, spool: Any, verb: Verb, busy: Collection[str] = (), **selection: str
    ) -> list[tuple[str, str]]:
        order = Order(verb, Selection(**selection))
        changed = self.wait_for(spool.carry_out(order, BEGAN + 50, busy))
        return sorted((one.id, str(one.address)) for one in changed)

    def test_it_provides_the_interface(self, spool: Any) -> None:
        """Its methods, with their arguments."""
        assert verifyObject(IQueueSpool, spool)

    def test_an_empty_spool(self, spool: Any) -> None:
        """Nobody waits anywhere."""
        assert self.wait_for(spool.destinations()) == {}
        assert self._due(spool).items == ()
        assert self._due(spool).next_due == math.inf

    def test_what_comes_in_is_due_at_once(self, spool: Any) -> None:
        """By destination, with the envelope and the whole content."""
        spool.put(message("m1", "bob@far.test", "cid@far.test", "eve@near.test"))
        assert self.wait_for(spool.destinations()) == {"far.test": BEGAN, "near.test": BEGAN}
        (item,) = self._due(spool, now=BEGAN).items
        assert [str(one.address) for one in item.recipients] == ["bob@far.test", "cid@far.test"]
        assert (
            item.message.envelope == message("m1", "bob@far.test", "cid@far.test", "eve@near.test").envelope
        )
        assert b"".join(item.message.content.pieces()).startswith(b"Subject")
        assert item.recipients[0].attempts == 0

    def test_who_listens_hears_of_it(self, spool: Any) -> None:
        """And when it is due; but not of what is held."""
        heard: list[Any] = []
        spool.watch(heard.append)
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        spool.put(message("m2"), held="over the limit")
        spool.put(message("m3"), not_before=LATE)
        assert [(item.message.id, item.destination, item.recipients[0].next_attempt) for item in heard] == [
            ("m1", "far.test", BEGAN),
            ("m1", "near.test", BEGAN),
            ("m3", "far.test", LATE),
        ]

    def test_the_longest_due_come_first_and_the_rest_is_told(self, spool: Any) -> None:
        """Busy messages are left out of both."""
        for number in range(4):
            spool.put(message(f"m{number}", at=BEGAN - number))
        batch = self._due(spool, limit=2, busy={"m3"})
        assert [item.message.id for item in batch.items] == ["m2", "m1"]
        assert batch.next_due == BEGAN
        assert self._due(spool, now=BEGAN - 2).next_due == BEGAN - 1

    def test_a_message_that_is_not_to_be_tried_yet(self, spool: Any) -> None:
        """A sender may want it later."""
        spool.put(message("m1"), not_before=BEGAN + 100)
        assert self._due(spool, now=BEGAN + 99) == replace(self._due(spool, now=BEGAN), items=())
        assert len(self._due(spool, now=BEGAN + 100).items) == 1

    def test_an_outcome_for_each_recipient(self, spool: Any) -> None:
        """Each goes its own way."""
        spool.put(message("m1", "bob@far.test", "cid@far.test"))
        cid = Address("cid", "far.test")
        self._record(
            spool,
            "m1",
            progress(BOB, DELIVERED),
            progress(cid, WAITING, attempt=BUSY, next_attempt=BEGAN + 900),
        )
        assert self._due(spool, now=BEGAN + 899).items == ()
        (item,) = self._due(spool, now=BEGAN + 900).items
        (recipient,) = item.recipients
        assert (recipient.address, recipient.attempts, recipient.reason) == (cid, 1, "said so")
        self._record(spool, "m1", progress(cid, FAILED, BEGAN + 901, attempt=REFUSED, attempts=2))
        assert self.wait_for(spool.destinations()) == {}
        states = {
            (str(one.recipient.address), one.state) for _, one in self.wait_for(spool.outcomes(1e12, 100))
        }
        assert states == {("bob@far.test", DELIVERED), ("cid@far.test", FAILED)}

    def test_an_outcome_stays(self, spool: Any) -> None:
        """Whatever is recorded after it."""
        spool.put(message("m1"))
        self._record(spool, "m1", progress(BOB, DELIVERED))
        self._record(spool, "m1", progress(BOB, FAILED, BEGAN + 1, attempt=REFUSED))
        ((_, outcome),) = self.wait_for(spool.outcomes(1e12, 100))
        assert outcome.state is DELIVERED

    def test_a_notice_comes_in_with_the_outcome(self, spool: Any) -> None:
        """In one go, as a message like others."""
        heard: list[Any] = []
        spool.put(message("m1"))
        spool.watch(heard.append)
        notice = Notice(Envelope("n1", None, (ANN,)), MemoryContent([b"Subject: sorry\r\n\r\n"]))
        self._record(spool, "m1", progress(BOB, FAILED, attempt=REFUSED), notices=[notice])
        (item,) = self._due(spool, "home.test").items
        assert item.message.envelope == notice.envelope
        assert b"".join(item.message.content.pieces()) == b"Subject: sorry\r\n\r\n"
        assert [one.message.id for one in heard] == ["n1"]

    def test_those_of_an_age(self, spool: Any) -> None:
        """The oldest first, one item a destination."""
        for number in range(3):
            spool.put(message(f"m{number}", "bob@far.test", "eve@near.test", at=BEGAN + number))
        found = self.wait_for(spool.aged(BEGAN, BEGAN + 2, 10))
        assert [(item.message.id, item.destination) for item in found] == [
            ("m1", "far.test"),
            ("m1", "near.test"),
            ("m2", "far.test"),
            ("m2", "near.test"),
        ]
        assert {item.message.id for item in self.wait_for(spool.aged(0.0, LATE, 1))} == {"m0"}

    def test_what_is_to_leave_later_has_its_age_from_then_on(self, spool: Any) -> None:
        """And comes after what came in meanwhile."""
        spool.put(message("m1"), not_before=BEGAN + 50)
        spool.put(message("m2", at=BEGAN + 1))
        assert self.wait_for(spool.aged(0.0, BEGAN, 10)) == []
        found = self.wait_for(spool.aged(0.0, BEGAN + 50, 10))
        assert [(item.message.id, item.message.released) for item in found] == [
            ("m2", BEGAN + 1),
            ("m1", BEGAN + 50),
        ]
        assert self.wait_for(spool.aged(BEGAN + 50, LATE, 10)) == []

    def test_what_is_not_finished_is_counted(self, spool: Any) -> None:
        """Held messages, too."""
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        spool.put(message("m2"), held="over the limit")
        assert self.wait_for(spool.depth()) == 2
        self._record(spool, "m1", progress(BOB, DELIVERED))
        assert self.wait_for(spool.depth()) == 2
        self._order(spool, Verb.REMOVE)
        assert self.wait_for(spool.depth()) == 0

    def test_orders_select_by_id_address_and_domain(self, spool: Any) -> None:
        """All that is named must match."""
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        spool.put(message("m2", "bob@far.test", sender=Address("zoe", "home.test")))
        assert self._order(spool, Verb.HOLD, domain="near.test") == [("m1", "eve@near.test")]
        assert self._order(spool, Verb.HOLD, address="zoe@home.test") == [("m2", "bob@far.test")]
        assert self._order(spool, Verb.RELEASE) == [("m1", "eve@near.test"), ("m2", "bob@far.test")]
        assert self._order(spool, Verb.HOLD, id="m1", address="bob@far.test") == [("m1", "bob@far.test")]
        assert self._order(spool, Verb.HOLD, domain="ar.test") == []

    def test_what_is_held_is_not_due_until_it_is_released(self, spool: Any) -> None:
        """Then it is due at once."""
        spool.put(message("m1"))
        self._order(spool, Verb.HOLD)
        assert self.wait_for(spool.destinations()) == {}
        self._order(spool, Verb.RELEASE)
        assert self.wait_for(spool.destinations()) == {"far.test": BEGAN + 50}

    def test_what_is_released_leaves_no_sooner_than_its_sender_wants(self, spool: Any) -> None:
        """Whoever runs the host has not held it for that; a retry is another matter."""
        spool.put(message("m1"), not_before=LATE)
        self._order(spool, Verb.HOLD)
        self._order(spool, Verb.RELEASE)
        assert self.wait_for(spool.destinations()) == {"far.test": LATE}
        self._order(spool, Verb.RETRY)
        assert self.wait_for(spool.destinations()) == {"far.test": BEGAN + 50}

    def test_a_retry_makes_it_due_now(self, spool: Any) -> None:
        """Whatever its schedule says."""
        spool.put(message("m1"))
        self._record(spool, "m1", progress(BOB, WAITING, attempt=BUSY, next_attempt=LATE))
        assert self._order(spool, Verb.RETRY) == [("m1", "bob@far.test")]
        assert self.wait_for(spool.destinations()) == {"far.test": BEGAN + 50}

    def test_what_is_removed_has_an_outcome(self, spool: Any) -> None:
        """And those that had one keep it."""
        spool.put(message("m1", "bob@far.test", "eve@near.test"))
        self._record(spool, "m1", progress(BOB, DELIVERED))
        assert self._order(spool, Verb.REMOVE) == [("m1", "eve@near.test")]
        assert self.wait_for(spool.destinations()) == {}
        assert len(self.wait_for(spool.outcomes(1e12, 100))) == 2

    def test_an_order_leaves_what_is_under_way(self, spool: Any) -> None:
        """It is given again when the attempt is over."""
        spool.put(message("m1"))
        assert self._order(spool, Verb.REMOVE, busy={"m1"}) == []

    def test_after_the_clock_was_set_back_nobody_waits_longer(self, spool: Any) -> None:
        """But those whose senders want it so."""
        spool.put(message("m1"))
        spool.put(message("m2"), not_before=LATE)
        self._record(spool, "m1", progress(BOB, WAITING, attempt=BUSY, next_attempt=LATE))
        assert self.wait_for(spool.clamp(BEGAN + 3600, BEGAN)) == 1
        assert [item.message.id for item in self._due(spool, now=BEGAN).items] == ["m1"]

    def test_what_was_finished_is_forgotten_in_time(self, spool: Any) -> None:
        """And nothing else."""
        for id_ in ("m1", "m2"):
            spool.put(message(id_))
        self._record(spool, "m1", progress(BOB, DELIVERED))
        assert self.wait_for(spool.prune(BEGAN, 10)) == 0
        assert self.wait_for(spool.prune(BEGAN + 1, 10)) == 1
        assert self.wait_for(spool.outcomes(1e12, 100)) == []
        assert len(self._due(spool).items) == 1
