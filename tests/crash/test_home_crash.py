"""The process is killed, or power is lost, at every step of mail that comes home from the queue."""

import os

import pytest
from disks import SteppedDisk, Stopped, StoppingDisk, VolatileDisk, all_of_the_data, no_unsynced_data
from home_house import MESSAGES, HomeHouse, World, assert_each_once, read_all
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


def start_again(root, world, **options):
    house = HomeHouse(root, SteppedDisk(), world, life=1, **options)
    house.replay()
    house.settle_all()
    house.deliver(1)  # slow is told of, if it was not yet
    house.deliver_all()
    house.settle_all()
    house.database.close()


@pytest.mark.row(53)
@pytest.mark.parametrize("is_read", [False, True], ids=["unread", "read"])
def test_killed_at_each_step(root, is_read):
    """A copy, a notice, and what an alias forwards are there once, also where they were read meanwhile."""
    steps = steps_of_a_life(root)
    for last in range(len(steps)):
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
    for last in range(0, len(steps_of_a_life(root)), 3):
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
