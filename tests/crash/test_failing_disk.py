"""The disk answers with an error, at every operation in turn: full, broken, or out of descriptors."""

import errno
import shutil
from pathlib import Path

import pytest
from disks import NEEDS_DESCRIPTOR, NEEDS_SPACE, FailingDisk, SteppedDisk, Stopped, StoppingDisk
from house import (
    MESSAGES,
    House,
    Message,
    assert_each_once,
    assert_log_is_empty,
    assert_no_segments,
    laid_copies,
    live,
)

pytestmark = pytest.mark.row(52)

ERRORS = {
    "full": (errno.ENOSPC, NEEDS_SPACE),
    "broken": (errno.EIO, None),
    "no descriptors": (errno.EMFILE, NEEDS_DESCRIPTOR),
}
each_error = pytest.mark.parametrize(("number", "operations"), ERRORS.values(), ids=ERRORS)


def troubled_life(root, failing, number, operations):
    """A life with errors at some steps; when the start itself fails, it is tried again."""
    disk = FailingDisk(failing, number, operations)
    house = House(root, disk)
    try:
        live(house)
    except OSError:
        assert not house.stored
        house = House(root, disk)
        disk.failing = ()
        live(house)
    disk.failing = ()
    return house


def steps_of_a_life(root):
    disk = SteppedDisk()
    live(House(root, disk))
    shutil.rmtree(root)
    return disk.steps


def steps_that_can_fail(root, operations):
    steps = steps_of_a_life(root)
    return [number for number, step in enumerate(steps) if operations is None or step in operations]


def assert_answered(house):
    """Every message has one answer."""
    answered = house.stored + house.refused
    assert sorted(answered) == sorted(MESSAGES), answered


def send_another(house):
    """The disk is well again: so is the intake."""
    another = Message("another", "ann", "bob")
    MESSAGES[another.id] = another
    house.commit(another)
    assert another.id in house.stored


@pytest.fixture(autouse=True)
def _only_the_usual_messages():
    yield
    MESSAGES.pop("another", None)


@each_error
@pytest.mark.parametrize("length", [1, 4, 25], ids="{} in a row".format)
def test_an_error_at_each_step(root, number, operations, length):
    """Row 52: each message is stored exactly once or refused and not there; the next one is taken."""
    for first in steps_that_can_fail(root, operations)[:: 1 if length == 1 else 3]:
        house = troubled_life(root, range(first, first + length), number, operations)
        assert_answered(house)
        send_another(house)
        house.settle_all()
        assert_no_segments(house, first)
        assert_each_once(root, house.stored, first)
        assert_refused_are_not_there(root, house, first)
        if length == 1:
            assert list(Path(root).glob("mail/*/tmp/*")) == []
        MESSAGES.pop("another")
        shutil.rmtree(root)


@each_error
@pytest.mark.parametrize("length", [1, 4], ids="{} in a row".format)
def test_killed_after_an_error(root, number, operations, length):
    """Rows 52, 53: nothing that was refused comes back when the process ends before it could tidy up."""
    for first in steps_that_can_fail(root, operations)[:: 1 if length == 1 else 3]:
        house = troubled_life(root, range(first, first + length), number, operations)
        again = House(root, SteppedDisk(), life=1)
        again.replay()
        again.settle_all()
        assert_log_is_empty(again, first)
        assert_each_once(root, house.stored, first)
        assert_refused_are_not_there(root, house, first)
        shutil.rmtree(root)


@each_error
def test_killed_right_after_an_error(root, number, operations):
    """Rows 52, 53: the same when no later batch can set right what the one with the error left."""
    batch = [MESSAGES[name] for name in ("one", "two", "five", "seven")]
    for failing in range(1000):
        disk = FailingDisk({failing}, number, operations)
        house = House(root, disk)
        try:
            house.replay()
        except OSError:
            shutil.rmtree(root, ignore_errors=True)
            continue
        house.commit(*batch)
        again = House(root, SteppedDisk(), life=1)
        again.replay()
        assert_each_once(root, house.stored, failing)
        assert_refused_are_not_there(root, house, failing)
        shutil.rmtree(root)
        if len(disk.steps) <= failing:
            break
    assert failing > 50


def assert_refused_are_not_there(root, house, context):
    found = {message_id for message_id, _user in laid_copies(root)}
    assert not found & set(house.refused), (context, house.refused)


def test_an_error_at_each_step_of_the_replay(root):
    """Row 52: a start that fails, or does half, loses nothing; the next one does it all."""
    saved = root + "-saved"
    stored = _killed_before_the_last_is_laid(root)
    shutil.copytree(root, saved)
    for failing in range(1000):
        disk = FailingDisk({failing})
        house = House(root, disk, life=1)
        try:
            house.replay()
        except OSError:
            pass
        disk.failing = ()
        again = House(root, SteppedDisk(), life=2)
        again.replay()
        again.settle_all()
        assert_log_is_empty(again, failing)
        assert_each_once(root, stored, failing)
        if len(disk.steps) <= failing:
            break
        shutil.rmtree(root)
        shutil.copytree(saved, root)
    assert failing > 20


def _killed_before_the_last_is_laid(root):
    syncs = [number for number, step in enumerate(steps_of_a_life(root)) if step == "sync_data"]
    house = House(root, StoppingDisk(syncs[-1] + 1))
    with pytest.raises(Stopped):
        live(house)
    return house.stored


def test_a_disk_that_stays_broken_keeps_what_was_accepted(root):
    """Row 52: nothing can be written for a long time; each message is refused, then all goes on."""
    disk = FailingDisk(())
    house = House(root, disk)
    live(house)
    disk.failing = range(len(disk.steps), 10**9)
    for number in range(5):
        house.commit(Message(f"refused{number}", "ann"))
        house.settle()
    assert len(house.refused) == 5
    disk.failing = ()
    send_another(house)
    house.settle_all()
    assert_no_segments(house)
    assert_each_once(root, house.stored)
