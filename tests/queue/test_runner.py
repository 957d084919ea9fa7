"""The runner: what comes in is tried at once, what waits in time, and nobody is slowed by the dead."""

import pytest
from memory_spool import MemorySpool
from queue_parts import BUSY, DEAD, OK, REFUSED, DiskSpool, Gate, QueueRig, result_of
from twisted.internet.defer import Deferred

from mailsys.interfaces import Order, Selection, Verb
from mailsys.queue.runner import QueueLimits


@pytest.fixture(params=["memory", "disk"])
def spool(request, tmp_path):
    return MemorySpool() if request.param == "memory" else DiskSpool(str(tmp_path))


def new_rig(spool, **options):
    return QueueRig(spool, **options).start()


def test_new_mail_is_tried_at_once(spool):
    rig = new_rig(spool)
    rig.put("m1", "bob@far.test", "cid@far.test", "eve@near.test")
    assert rig.world.tried == [("m1", ("bob@far.test", "cid@far.test")), ("m1", ("eve@near.test",))]
    assert rig.journal.kinds("m1") == ["delivered"] * 3
    assert result_of(spool.destinations()) == {}


def test_what_waits_at_the_start_is_tried(spool):
    rig = QueueRig(spool)
    rig.put("m1")
    rig.start()
    assert rig.world.ids() == ["m1"]


def test_it_is_tried_again_by_the_schedule(spool):
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.go_on(899)
    assert rig.world.ids() == ["m1"]
    rig.go_on(2)
    assert rig.world.ids() == ["m1"] * 2
    rig.world.answers["far.test"] = OK
    rig.go_on(1801)
    assert rig.journal.kinds("m1") == ["deferred", "deferred", "delivered"]


def test_each_recipient_has_a_state_of_its_own(spool):
    rig = new_rig(spool)
    rig.world.answers.update({"far.test": BUSY, "no.test": REFUSED})
    rig.put("m1", "bob@far.test", "eve@near.test", "dan@no.test")
    assert rig.journal.kinds("m1") == ["deferred", "delivered", "failed"]
    assert list(result_of(spool.destinations())) == ["far.test"]


def test_after_the_schedule_it_fails(spool):
    rig = new_rig(spool, retry="2s 2s 2s")
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.go_on(10)
    assert rig.journal.kinds("m1") == ["deferred"] * 3 + ["failed"]
    assert "given up after 4 attempts" in rig.journal.events[-1].facts["reason"]


@pytest.mark.row(55)
def test_a_dead_destination_backs_off_as_a_whole(spool):
    """Row 55: after one failure to connect its other messages wait, without an attempt each."""
    rig = new_rig(spool)
    rig.world.answers["dead.test"] = DEAD
    for number in range(50):
        rig.put(f"m{number}", "bob@dead.test")
    assert rig.world.ids() == ["m0"]
    rig.go_on(59)
    assert rig.world.ids() == ["m0"]
    rig.go_on(2)
    assert len(rig.world.tried) == 2  # one probe
    rig.put("fresh", "bob@dead.test")
    rig.put("other", "bob@far.test")
    assert rig.world.ids()[2:] == ["other"]
    rig.go_on(119)
    assert len(rig.world.tried) == 4  # a second probe, after twice the time


@pytest.mark.row(55)
def test_when_it_comes_back_all_of_its_mail_leaves(spool):
    rig = new_rig(spool)
    rig.world.answers["dead.test"] = DEAD
    for number in range(50):
        rig.put(f"m{number}", "bob@dead.test")
    rig.world.answers["dead.test"] = OK
    rig.go_on(61)
    assert len(set(rig.world.ids())) == 50
    rig.go_on(900)
    assert result_of(spool.destinations()) == {}
    assert len(rig.world.tried) == 51  # the first one twice


def test_a_destination_is_given_more_as_it_answers(spool):
    rig = new_rig(spool, limits=QueueLimits(deliveries=100, deliveries_per_destination=8))
    waiting = rig.world.answers["far.test"] = Gate()
    for number in range(30):
        rig.put(f"m{number}")
    assert len(rig.world.tried) == 5
    rig.world.answers["far.test"] = Gate()
    waiting.open(OK)
    assert len(rig.world.tried) == 5 + 8


def test_the_host_does_not_do_too_much_at_one_time(spool):
    rig = new_rig(spool, limits=QueueLimits(deliveries=8, deliveries_per_destination=10))
    waiting = rig.world.otherwise = Gate()
    for number in range(20):
        rig.put(f"m{number}", f"bob@d{number}.test")
    assert len(rig.world.tried) == 8
    rig.world.otherwise = OK
    waiting.open(OK)
    assert len(rig.world.tried) == 20


@pytest.mark.row(55)
def test_places_are_kept_for_what_was_never_tried(spool):
    """Row 55: many destinations that do not answer take three of four places, and never all."""
    rig = new_rig(spool, limits=QueueLimits(deliveries=8, deliveries_per_destination=10))
    rig.world.otherwise = BUSY
    for number in range(20):
        rig.put(f"m{number}", f"bob@slow{number}.test")
    rig.world.otherwise = Gate()
    rig.go_on(901)
    assert len(rig.world.tried) == 20 + 6
    rig.world.answers["far.test"] = OK
    rig.put("fresh")
    assert rig.world.ids()[-1] == "fresh"
    assert rig.journal.kinds("fresh") == ["delivered"]


@pytest.mark.row(55)
def test_a_message_at_which_we_break_is_set_aside(spool):
    """Row 55: after three times; the others go on."""
    rig = new_rig(spool)
    rig.world.answers["far.test"] = ValueError("nobody expected this")
    rig.put("poison")
    rig.put("m1", "eve@near.test")
    rig.go_on(400)
    assert rig.world.ids() == ["poison", "m1", "poison", "poison"]
    assert rig.journal.kinds("poison") == ["held"]
    assert "nobody expected this" in rig.journal.events[-1].facts["reason"]
    assert rig.journal.kinds("m1") == ["delivered"]
    rig.go_on(86_400, 60)
    assert rig.world.ids().count("poison") == 3


def test_nothing_is_tried_twice_at_one_time(spool):
    rig = new_rig(spool)
    waiting = rig.world.answers["far.test"] = Gate()
    rig.put("m1")
    rig.go_on(86_400, 300)
    result_of(rig.runner.look_again())
    assert rig.world.ids() == ["m1"]
    waiting.open(OK)
    assert rig.journal.kinds("m1") == ["delivered"]


def test_an_end_in_order_waits_a_moment_for_what_is_under_way(spool):
    rig = new_rig(spool)
    waiting = rig.world.answers["far.test"] = Gate()
    rig.world.answers["near.test"] = Gate()
    rig.put("m1")
    rig.put("m2", "eve@near.test")
    stopped = Deferred.fromCoroutine(rig.runner.stop())
    waiting.open(OK)
    assert not stopped.called
    rig.go_on(6)
    assert stopped.called
    assert rig.journal.kinds("m1") == ["delivered"]
    assert rig.journal.kinds("m2") == []
    assert list(result_of(spool.destinations())) == ["near.test"]
    rig.put("late")
    assert "late" not in rig.world.ids()


def test_idle_destinations_are_forgotten(spool):
    rig = new_rig(spool)
    for number in range(10):
        rig.put(f"m{number}", f"bob@d{number}.test")
    assert rig.runner._destinations == {}


def test_all_recipients_of_a_long_list_have_their_turn(spool):
    rig = new_rig(spool)
    rig.put("m1", *(f"user{number}@far.test" for number in range(250)))
    assert [len(recipients) for _, recipients in rig.world.tried] == [100, 100, 50]
    assert rig.journal.kinds("m1") == ["delivered"] * 250


def test_recipients_of_one_message_with_different_waits(spool):
    """What is not due yet when the others are tried is not forgotten."""
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1", *(f"user{number}@far.test" for number in range(150)))
    result_of(rig.upkeep.do(Order(Verb.RETRY, Selection(address="user7@far.test"))))
    rig.world.answers["far.test"] = OK
    rig.go_on(3000)
    assert rig.journal.kinds("m1").count("delivered") == 150


def test_what_comes_in_while_the_spool_is_asked_is_not_forgotten(spool):
    """And could not be made ready, since too much was."""
    rig = new_rig(spool)
    answer = spool.due
    asked = Gate()

    async def slow_due(*arguments):
        batch = await answer(*arguments)
        await asked.wait()
        return batch

    gate = rig.world.answers["far.test"] = Gate()
    for number in range(60):
        rig.put(f"m{number}")
    spool.due = slow_due
    gate.open(OK)
    rig.world.answers["far.test"] = OK
    for number in range(60, 120):
        rig.put(f"m{number}")
    for _ in range(50):
        gate.open(OK)
        asked.open(None)
    assert len(set(rig.world.ids())) == 120


def test_an_end_after_the_last_alarm_went_off(spool):
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.world.answers["far.test"] = OK
    rig.go_on(1000)
    assert rig.journal.kinds("m1")[-1] == "delivered"
    result_of(rig.runner.stop())


def test_one_alarm_is_enough_for_one_destination(spool):
    rig = new_rig(spool)
    rig.world.answers["far.test"] = BUSY
    rig.put("m1")
    rig.world.answers["far.test"] = OK
    for number in range(200):
        rig.put(f"n{number}")
        rig.clock.advance(0.0001)
    assert len(rig.runner._alarms) < 5
