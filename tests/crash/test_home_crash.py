"""The process is killed, power is lost, or the disk fails, wherever mail comes home from the queue."""

import errno
import os

import pytest
from disks import (
    NEEDS_SPACE,
    FailingDisk,
    SteppedDisk,
    Stopped,
    StoppingDisk,
    VolatileDisk,
    all_of_the_data,
    no_unsynced_data,
)
from home_house import MESSAGES, SLOW, HomeHouse, World, assert_each_once, read_all
from queue_house import clear


def life(root, disk, world):
    os.makedirs(root, exist_ok=True)
    house = HomeHouse(root, disk, world)
    try:
        house.live()
    except Stopped:
        pass
    house.database.close()
    return house


def steps_of_a_life(root):
    world = World()
    house = life(root, disk := SteppedDisk(), world)
    assert house.stored == list(MESSAGES)
    assert_each_once(root, world, house.stored, "undisturbed")
    assert sum(world.taken.values()) == 2
    clear(root)
    return disk.steps


def put_off(house):
    facts = [event.facts for event in house.journal.events.values()]
    return {one["recipient"] for one in facts if one["event"] == "deferred"}


def start_again(root, world, **options):
    house = HomeHouse(root, SteppedDisk(), world, life=1, **options)
    house.replay()
    house.settle_all()
    house.deliver(1)  # slow is told of, if it was not yet
    assert put_off(house) <= {str(SLOW)}  # nothing of the life before is in anybody's way
    house.deliver_all()
    house.settle_all()
    house.database.close()


@pytest.mark.row(53)
@pytest.mark.parametrize(("is_read", "every"), [(False, 1), (True, 3)], ids=["unread", "read"])
def test_killed_at_each_step(root, is_read, every):
    """A copy, a notice, and what an alias forwards are there once, also where they were read meanwhile."""
    steps = steps_of_a_life(root)
    for last in range(0, len(steps), every):
        world = World()
        house = life(root, StoppingDisk(last), world)
        if is_read:
            read_all(root)
        doubts = dict(world.in_doubt)
        start_again(root, world)
        assert_each_once(root, world, house.stored, (last, steps[last]), doubts)
        clear(root)


@pytest.mark.row(53)
@pytest.mark.parametrize("remains", [None, no_unsynced_data, all_of_the_data], ids=["sure", "names", "all"])
def test_power_lost_at_each_step(root, remains):
    for last in range(0, len(steps_of_a_life(root)), 4):
        world = World()
        os.makedirs(root)
        disk = VolatileDisk(root, last)
        disk.queue_image = b""
        house = life(root, disk, world)
        disk.lose_power(remains)
        if remains is not all_of_the_data:
            with open(house.path, "wb") as file:
                file.write(disk.queue_image)
        doubts = dict(world.in_doubt)
        start_again(root, world, boot="another")
        assert_each_once(root, world, house.stored, (last, remains), doubts)
        clear(root)


@pytest.mark.row(52)
@pytest.mark.parametrize(
    ("number", "operations"),
    [(errno.ENOSPC, NEEDS_SPACE | {"commit"}), (errno.EIO, None)],
    ids=["full", "broken"],
)
@pytest.mark.parametrize("length", [1, 9], ids="{} in a row".format)
def test_an_error_at_each_step(root, number, operations, length):
    """What was taken in waits until the disk takes it, and is there once."""
    steps = steps_of_a_life(root)
    wanted = [n for n, step in enumerate(steps) if operations is None or step in operations]
    for first in wanted[:: 3 if length == 1 else 9]:
        world = World()
        disk = FailingDisk(range(first, first + length), number, operations)
        house = troubled_life(root, disk, world)
        disk.failing = ()
        house.settle_all()
        doubts = dict(world.in_doubt)
        house.deliver(1)
        house.deliver_all()
        house.settle_all()
        house.database.close()
        assert len(house.stored + house.refused) == len(MESSAGES)
        context = (first, steps[first])
        assert_each_once(root, world, house.stored, context, doubts, is_late_told=False)
        clear(root)


def troubled_life(root, disk, world):
    """When the start itself fails, it is tried again."""
    os.makedirs(root)
    house = HomeHouse(root, disk, world)
    try:
        house.live()
    except OSError:
        assert not house.stored
        disk.failing = ()
        house.database.close()
        house = HomeHouse(root, disk, world)
        house.live()
    return house
