"""Orders, clocks, notices, and what has waited too long."""

import os
from dataclasses import replace

import pytest
from memory_spool import MemorySpool
from queue_parts import ANN, BEGAN, BUSY, DEAD, OK, REFUSED, DiskSpool, Gate, QueueRig, message, result_of
from zope.interface import implementer

from mailsys.interfaces import INotices, Notice, Order, RecipientState, Selection, Verb
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope

HOUR, DAY = 3600.0, 86_400.0


@implementer(INotices)
class Notices:
    """Writes one notice a call for what failed, and keeps what it was called with."""

    def __init__(self):
        self.called = []  # (id, [(address, state)])
        self.fault = None

    async def compose(self, message, progress):
        self.called.append((message.id, [(str(one.recipient.address), one.state.value) for one in progress]))
        if self.fault:
            raise self.fault
        if not any(one.state is RecipientState.FAILED for one in progress):
            return ()
        envelope = Envelope(f"notice-{len(self.called)}", None, (ANN,))
        return [Notice(envelope, MemoryContent([b"Subject: sorry\r\n\r\n"]))]


@pytest.fixture(params=["memory", "disk"])
def spool(request, tmp_path):
    return MemorySpool() if request.param == "memory" else DiskSpool(str(tmp_path))


def new_rig(spool, **options):
    return QueueRig(spool, **options).start()


def order(rig, verb, **selection):
    result_of(rig.upkeep.do(Order(verb, Selection(**selection))))


# ---------------------------------------------------------------------- orders


def test_hold_and_release(spool):
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    order(rig, Verb.HOLD, id="m1")
    rig.go_on(2 * HOUR, 60)
    assert rig.world.ids() == ["m1"]
    rig.world.answers["far.test"] = OK
    order(rig, Verb.RELEASE, domain="far.test")
    assert rig.world.ids() == ["m1"] * 2
    assert rig.journal.kinds("m1") == ["deferred", "queue hold", "queue release", "delivered"]


def test_retry_now_even_where_nobody_was_reached(spool):
    rig = new_rig(spool)
    rig.world.answers["far.test"] = DEAD
    rig.put("m1")
    rig.put("m2")
    rig.world.answers["far.test"] = OK
    order(rig, Verb.RETRY)
    assert sorted(rig.world.ids()) == ["m1", "m1", "m2"]


def test_what_is_removed_is_not_tried(spool):
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    order(rig, Verb.REMOVE, address=str(ANN))
    rig.go_on(2 * HOUR, 60)
    assert rig.world.ids() == ["m1"]
    assert rig.journal.kinds("m1") == ["deferred", "queue remove"]


def test_what_is_under_way_is_removed_after_its_attempt(spool):
    rig = new_rig(spool)
    waiting = rig.world.answers["far.test"] = Gate()
    rig.put("m1")
    rig.put("m2")
    order(rig, Verb.REMOVE)
    rig.go_on(5)
    assert rig.journal.events == []
    waiting.open(BUSY)
    rig.go_on(2)
    assert rig.journal.kinds("m1") == ["deferred", "queue remove"]
    rig.go_on(HOUR, 60)
    assert rig.world.ids() == ["m1", "m2"]


def test_what_is_ready_and_not_begun_is_removed_at_once(spool):
    rig = new_rig(spool)
    waiting = rig.world.answers["far.test"] = Gate()
    for number in range(10):
        rig.put(f"m{number}")
    order(rig, Verb.REMOVE)
    assert [event.id for event in rig.journal.events] == [f"m{number}" for number in range(5, 10)]
    waiting.open(OK)
    assert len(rig.world.tried) == 5


def test_an_order_from_outside_is_done_within_moments(tmp_path):
    spool = MemorySpool()
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    spool.waiting_orders.append(Order(Verb.RETRY, Selection(), 7))
    rig.go_on(2)
    assert rig.world.ids() == ["m1"] * 2
    assert spool.answers[7] == 1


# ---------------------------------------------------------------------- notices


def test_a_notice_is_kept_with_the_outcome_and_sent(spool):
    notices = Notices()
    rig = new_rig(spool, notices=notices)
    rig.world.answers["far.test"] = REFUSED
    rig.put("m1")
    assert notices.called[0] == ("m1", [("bob@far.test", "failed")])
    assert rig.world.tried[1] == ("notice-1", (str(ANN),))


class Looks:
    """Finds the same each time."""

    def __init__(self):
        self.asked = []

    async def findings(self, said, reply, sender):
        self.asked.append((said, reply.code, str(sender)))
        return ["the record is missing"]


def test_what_is_wrong_with_us_is_looked_up_once_for_the_same_words(spool):
    notices = Notices()
    rig = new_rig(spool, notices=notices)
    rig.attempting.diagnosis = looks = Looks()
    rig.world.answers["far.test"] = replace(REFUSED, said="550 5.7.26 unauthenticated")
    rig.put("m1", "bob@far.test", "eve@far.test")
    assert looks.asked == [("550 5.7.26 unauthenticated", 550, str(ANN))]
    facts = [event.facts for event in rig.journal.events if event.facts["event"] == "failed"]
    assert [one["found"] for one in facts] == [["the record is missing"]] * 2


def test_what_is_forwarded_is_not_ours_to_mend(spool):
    rig = new_rig(spool, notices=Notices())
    rig.attempting.diagnosis = looks = Looks()
    rig.world.answers["far.test"] = replace(REFUSED, said="550 5.7.26 no", forwarded_for=ANN)
    rig.put("m1")
    assert looks.asked == []


def test_what_waits_is_looked_up_when_its_sender_hears_of_it(spool):
    rig = new_rig(spool, notices=Notices())
    rig.attempting.diagnosis = looks = Looks()
    rig.world.answers["far.test"] = replace(BUSY, said="421 4.7.26 not now")
    rig.put("m1")
    assert looks.asked == []
    rig.go_on(DAY, 60)
    assert len(looks.asked) == 1


@pytest.mark.row(55)
def test_a_notice_that_cannot_be_written_keeps_the_failure_open(spool):
    notices = Notices()
    notices.fault = ValueError("no words")
    rig = new_rig(spool, notices=notices)
    rig.world.answers["far.test"] = REFUSED
    rig.put("m1")
    assert rig.journal.kinds("m1") == []
    notices.fault = None
    rig.go_on(61)
    assert rig.journal.kinds("m1") == ["failed", "told"]
    assert len(notices.called) == 3  # the last is about the notice itself, which was delivered


def test_a_sender_hears_once_of_a_delay(spool):
    notices = Notices()
    rig = new_rig(spool, notices=notices)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.go_on(DAY, 60)
    assert notices.called == [("m1", [("bob@far.test", "waiting")])]


def test_a_sender_hears_of_a_delay_though_nothing_was_tried(spool):
    notices = Notices()
    rig = new_rig(spool, notices=notices)
    rig.world.answers["far.test"] = DEAD
    for number in range(30):
        rig.put(f"m{number}")
        rig.go_on(1)
    rig.go_on(4 * HOUR + 300, 60)
    assert sorted({id_ for id_, _ in notices.called}) == sorted(f"m{number}" for number in range(30))
    assert len(notices.called) == 30
    assert result_of(spool.destinations())


def test_how_much_waits_is_known_without_asking(spool):
    rig = new_rig(spool)
    rig.world.otherwise = BUSY
    rig.put("m1")
    rig.put("m2", held="over the limit")
    rig.go_on(10)
    assert rig.upkeep.depth == 2
    again = new_rig(spool)
    assert again.upkeep.depth == 2
    order(again, Verb.REMOVE)
    again.go_on(10)
    assert again.upkeep.depth == 0


def test_it_leaves_when_its_sender_wants(spool):
    """Also where nothing else is known of the destination, and after a start."""
    rig = new_rig(spool)
    rig.put("m1", not_before=BEGAN + HOUR)
    rig.put("m2", not_before=BEGAN + 2 * HOUR)
    rig.put("m3", "eve@near.test", not_before=BEGAN + 2 * HOUR)
    rig.go_on(HOUR - 1)
    assert rig.world.ids() == []
    rig.go_on(1)
    assert rig.world.ids() == ["m1"]
    result_of(rig.runner.stop())
    result_of(rig.upkeep.stop())
    again = QueueRig(spool)
    again.clock.advance(2 * HOUR - 1)
    again.start()
    assert again.world.ids() == []
    again.go_on(1)
    assert sorted(again.world.ids()) == ["m2", "m3"]


def test_what_comes_in_for_later_waits_beside_what_is_tried(spool):
    """While the spool is asked, while the destination pauses, and while it is busy."""
    rig = new_rig(spool)
    rig.world.answers["far.test"] = gate = Gate()
    rig.put("m1")
    rig.put("m2", not_before=BEGAN + 10)
    rig.go_on(11)
    assert rig.world.ids() == ["m1", "m2"]
    rig.world.answers["far.test"] = DEAD
    gate.open(DEAD)
    rig.put("m3", not_before=rig.now() + 5)
    rig.go_on(20 * 60)
    assert "m3" in rig.world.ids()


def test_waiting_by_wish_is_no_delay(spool):
    """The notice, and the end of the schedule, count from when it was to leave."""
    notices = Notices()
    rig = new_rig(spool, notices=notices, retry="1h then 1h until 1d")
    rig.world.otherwise = DEAD
    rig.put("m1", not_before=BEGAN + 3 * DAY)
    rig.put("m2", "eve@near.test", not_before=BEGAN + 3 * DAY)
    rig.world.answers["near.test"] = BUSY
    rig.go_on(3 * DAY + 3 * HOUR, 60)
    assert notices.called == []
    assert sorted(set(rig.world.ids())) == ["m1", "m2"]
    rig.go_on(2 * HOUR, 60)
    assert sorted(notices.called) == [
        ("m1", [("bob@far.test", "waiting")]), ("m2", [("eve@near.test", "waiting")])
    ]  # fmt: skip
    rig.go_on(18 * HOUR, 60)
    assert len(notices.called) == 2
    rig.go_on(3 * HOUR, 60)
    assert {id_ for id_, progress in notices.called if progress[0][1] == "failed"} == {"m1", "m2"}


def test_the_clock_is_set_and_what_is_to_leave_later_goes_by_it(spool):
    rig = new_rig(spool)
    rig.put("m1", not_before=BEGAN + 10 * DAY)
    rig.wall = -DAY
    rig.go_on(20)
    assert rig.world.ids() == []
    rig.wall = 10 * DAY
    rig.go_on(20)
    assert rig.world.ids() == ["m1"]


def test_what_waited_for_a_dead_host_is_given_up_in_the_end(spool):
    notices = Notices()
    rig = new_rig(spool, notices=notices)
    rig.world.answers["far.test"] = DEAD
    for number in range(30):
        rig.put(f"m{number}")
        rig.go_on(1)
    rig.go_on(5 * DAY + HOUR, 60)
    failed = {event.id for event in rig.journal.events if event.facts["event"] == "failed"}
    assert failed == {f"m{number}" for number in range(30)}
    assert result_of(spool.destinations()) == {}


def test_a_content_that_is_lost_fails(tmp_path):
    spool = DiskSpool(str(tmp_path))
    rig = QueueRig(spool, notices=Notices())
    rig.put("m1")
    spool.contents.sync(["m1"])
    os.unlink(spool.contents.path("m1"))
    rig.world.answers["far.test"] = BUSY  # as a delivery says that cannot read it
    rig.start()
    assert rig.journal.kinds("m1") == ["failed", "told"]
    assert rig.attempting.notices.called[0][0] == "m1"
    assert rig.world.ids().count("m1") == 1


# ---------------------------------------------------------------------- clocks


@pytest.mark.row(54)
def test_the_clock_is_set_back_by_a_day(spool):
    """Row 54: nobody waits a day longer for it."""
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.wall = -DAY
    rig.go_on(20)
    assert rig.world.ids().count("m1") == 2  # tried once more when it is noticed
    rig.world.answers["far.test"] = OK
    rig.go_on(2 * HOUR, 10)
    assert rig.journal.kinds("m1")[-1] == "delivered"


@pytest.mark.row(54)
@pytest.mark.parametrize("days", [1, 365 * 30])
def test_the_clock_is_set_forward(spool, days):
    """Row 54: mail that came in meanwhile is not given up for its age alone, not even after 2038."""
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.wall = days * DAY
    rig.go_on(20)
    assert rig.journal.kinds("m1") == ["deferred", "deferred"]
    rig.world.answers["far.test"] = OK
    rig.go_on(HOUR, 10)
    assert rig.journal.kinds("m1")[-1] == "delivered"


@pytest.mark.row(54)
def test_the_clock_was_wrong_at_the_last_run(spool):
    """Row 54: what would wait for years is due at the start."""
    rig = QueueRig(spool)
    spool.put(message("m1", at=BEGAN + 1000 * DAY))
    rig.start()
    assert rig.journal.kinds("m1") == ["delivered"]


# ---------------------------------------------------------------------- the rest


def test_finished_messages_are_forgotten_after_some_days(spool):
    rig = new_rig(spool)
    rig.put("m1")
    rig.go_on(6 * DAY, 300)
    assert result_of(spool.outcomes(1e12, 100))
    rig.go_on(2 * DAY, 300)
    assert not result_of(spool.outcomes(1e12, 100))


def test_a_start_tells_the_last_outcomes_again(spool):
    rig = new_rig(spool)
    rig.put("m1")
    again = QueueRig(spool).start()
    (event,) = again.journal.events
    assert (event.id, event.key) == (rig.journal.events[-1].id, rig.journal.events[-1].key)


def test_many_that_wait_are_told_of_with_few_syncs(tmp_path):
    """Senders of thousands of messages hear of a delay, and mail that comes in meanwhile does not wait."""
    spool = DiskSpool(str(tmp_path))
    rig = new_rig(spool, notices=Notices())
    rig.world.answers["far.test"] = DEAD
    for number in range(500):
        rig.put(f"m{number:03}")
        rig.clock.advance(0.001)
    rig.wall = 5 * HOUR
    result_of(rig.upkeep.look_at_aged())
    assert len({id_ for id_, _ in rig.attempting.notices.called}) == 500
    result_of(rig.upkeep.look_at_aged())
    assert len(rig.attempting.notices.called) == 500
    rig.put("fresh", "eve@near.test")
    assert rig.journal.kinds("fresh") == ["delivered"]
