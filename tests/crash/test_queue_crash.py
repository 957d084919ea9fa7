"""The process is killed, power is lost, or the disk fails, at every step of queueing and sending."""

import errno
import os

import pytest
from disks import (
    NEEDS_DESCRIPTOR,
    NEEDS_SPACE,
    FailingDisk,
    SteppedDisk,
    Stopped,
    StoppingDisk,
    VolatileDisk,
    all_of_the_data,
    no_unsynced_data,
)
from queue_house import ELSEWHERE, QueueHouse, World, assert_each_has_one_outcome, clear, live_with_queue

REFUSED = {("two", str(ELSEWHERE[0])), ("seven", str(ELSEWHERE[1]))}


def new_world():
    world = World()
    world.refused = set(REFUSED)
    return world


def life(root, disk, world):
    """A life that ends where the disk says; returns what was acknowledged."""
    os.makedirs(root, exist_ok=True)
    house = QueueHouse(root, disk, world)
    try:
        live_with_queue(house)
    except Stopped:
        pass
    return house


def steps_of_a_life(root):
    disk = SteppedDisk()
    house = life(root, disk, new_world())
    assert len(house.stored) == 8
    assert_each_has_one_outcome(house, house.stored, "undisturbed", {})
    clear(root)
    return disk.steps


def start_again(root, world, **options):
    """The next process: replays, and sends all that waits."""
    house = QueueHouse(root, SteppedDisk(), world, **options)
    house.replay()
    house.settle_all()
    house.send_all()
    return house


@pytest.mark.row(53)
def test_killed_at_each_step_of_a_life(root):
    """Nothing is lost; twice comes at most what was taken and not recorded when the process ended."""
    steps = steps_of_a_life(root)
    assert steps.count("commit") > 20
    for last in range(len(steps)):
        world = new_world()
        house = life(root, StoppingDisk(last), world)
        house.database.close()
        doubts = dict(world.in_doubt)
        again = start_again(root, world, life=1)
        assert_each_has_one_outcome(again, house.stored, (last, steps[last]), doubts)
        clear(root)


@pytest.mark.row(53)
@pytest.mark.parametrize("remains", [None, no_unsynced_data, all_of_the_data], ids=["sure", "names", "all"])
def test_power_lost_at_each_step_of_a_life(root, remains):
    """The rows of a message may be lost with the power, and come back from the intake log."""
    for last in range(0, len(steps_of_a_life(root)), 3):
        world = new_world()
        os.makedirs(root)
        disk = VolatileDisk(root, last)
        disk.queue_image = b""
        house = life(root, disk, world)
        house.database.close()
        disk.lose_power(remains)
        if remains is not all_of_the_data:
            with open(house.path, "wb") as file:
                file.write(disk.queue_image)
        doubts = dict(world.in_doubt)
        again = start_again(root, world, boot="another", life=1)
        assert_each_has_one_outcome(again, house.stored, (last, remains), doubts)
        clear(root)


ERRORS = {
    "full": (errno.ENOSPC, NEEDS_SPACE | {"commit"}),
    "broken": (errno.EIO, None),
    "no descriptors": (errno.EMFILE, NEEDS_DESCRIPTOR),
}


@pytest.mark.row(52)
@pytest.mark.parametrize(("number", "operations"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("length", [1, 9], ids="{} in a row".format)
def test_an_error_at_each_step(root, number, operations, length):
    """Each message is answered, and each that was taken has one outcome for each recipient."""
    steps = steps_of_a_life(root)
    for first in [n for n, step in enumerate(steps) if operations is None or step in operations][
        :: 2 if length == 1 else 9
    ]:
        world = new_world()
        disk = FailingDisk(range(first, first + length), number, operations)
        house = troubled_life(root, disk, world)
        disk.failing = ()
        house.settle_all()
        doubts = dict(world.in_doubt)
        house.send_all()
        house.waiting.tidy(house.contents.names())
        assert len(house.stored + house.refused) == 8
        assert_each_has_one_outcome(house, house.stored, (first, steps[first]), doubts)
        if length == 1:
            assert os.listdir(os.path.join(root, "queue", "tmp")) == []
        assert os.listdir(house.directory) == ["spool"]
        clear(root)


def troubled_life(root, disk, world):
    """When the start itself fails, it is tried again."""
    os.makedirs(root)
    house = QueueHouse(root, disk, world)
    try:
        live_with_queue(house)
    except OSError:
        assert not house.stored
        disk.failing = ()
        house = QueueHouse(root, disk, world)
        live_with_queue(house)
    return house
