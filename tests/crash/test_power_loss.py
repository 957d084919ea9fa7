"""Power is lost at every operation: what was not synced is gone, data and names alike."""

import os
import shutil

import pytest
from disks import (
    SteppedDisk,
    Stopped,
    VolatileDisk,
    all_of_the_data,
    half_of_the_data,
    no_unsynced_data,
    zeros_for_data,
)
from house import FIRST, SECOND, House, assert_log_is_empty, assert_none_lost, live

from mailsys.store.maildir import settle as maildir_settle

pytestmark = pytest.mark.row(53)

REMAINS = {
    "only what was synced": None,
    "names without data": no_unsynced_data,
    "half of the data": half_of_the_data,
    "zeros for data": zeros_for_data,
    "everything": all_of_the_data,
}
each_remains = pytest.mark.parametrize("remains", REMAINS.values(), ids=REMAINS)


@pytest.fixture(params=["each file synced", "file systems synced"], autouse=True)
def stride(request, monkeypatch):
    """How far apart the steps are: each when files are synced one by one, fewer the other way."""
    if request.param == "each file synced":
        return 1
    monkeypatch.setattr(maildir_settle, "MANY", 0)
    return 3


def life_until(root, last, failing=()):
    """A life that ends with a loss of power at step ``last``; returns the house and its disk."""
    os.mkdir(root)
    disk = VolatileDisk(root, last, failing)
    house = House(root, disk)
    try:
        live(house)
    except Stopped:
        pass
    return house, disk


def steps_of_a_life(root):
    house, disk = life_until(root, None)
    assert len(house.stored) > 5
    shutil.rmtree(root)
    return disk.steps


def start_again(root, life, context):
    """The next boot of the machine."""
    house = House(root, SteppedDisk(), boot=f"boot {life}", life=life)
    house.replay()
    house.settle_all()
    assert_log_is_empty(house, context)


@each_remains
def test_power_lost_at_each_step_of_a_life(root, remains, stride):
    """Row 53: an accepted message is there for everybody, whole, whatever the disk kept of the rest."""
    for last in range(0, len(steps_of_a_life(root)), stride):
        house, disk = life_until(root, last)
        disk.lose_power(remains)
        start_again(root, 1, last)
        assert_none_lost(root, house.stored, last)
        shutil.rmtree(root)


@each_remains
def test_power_lost_again_during_replay(root, remains, stride):
    """Row 53: power fails in each step of the replay too, each time one step later."""
    for last in range(0, len(steps_of_a_life(root)), 25 * stride):
        house, disk = life_until(root, last)
        disk.lose_power(remains)
        lives = 1
        while _replay_is_cut_off(root, lives, remains):
            lives += 1
        assert_none_lost(root, house.stored, (last, lives))
        shutil.rmtree(root)


def _replay_is_cut_off(root, life, remains):
    disk = VolatileDisk(root, 3 * life)
    house = House(root, disk, boot=f"boot {life}", life=life)
    try:
        house.replay()
    except Stopped:
        return True
    finally:
        disk.lose_power(remains)
    return False


@each_remains
def test_power_lost_after_the_process_was_killed(root, remains, stride):
    """Row 53: what the killed process had not synced yet is not taken for synced by the next one."""
    steps = steps_of_a_life(root)
    for killed in range(1, len(steps), 9 * stride):
        house, disk = life_until(root, killed)
        disk.last = None
        again = House(root, disk, life=1)
        again.replay()
        again.settle()
        again.commit(*SECOND[0])
        disk.lose_power(remains)
        start_again(root, 2, killed)
        assert_none_lost(root, house.stored + again.stored, killed)
        shutil.rmtree(root)


def test_folders_that_a_killed_process_made_are_synced_by_the_next(root):
    """Row 53: a folder that is there may not be on the disk yet."""
    os.makedirs(os.path.join(root, "mail"))
    disk = VolatileDisk(root)
    house = House(root, disk)
    disk.make_directory(house.directory)
    disk.make_directory(house.spool)
    house.replay()
    house.commit(*FIRST[1])
    assert house.stored == ["large", "small"]
    disk.lose_power(None)
    start_again(root, 1, "")
    assert_none_lost(root, house.stored)


@each_remains
def test_a_failed_sync_is_not_believed_later(root, remains, stride):
    """Row 52: a sync that failed has lost its data for good; power is lost some time after it."""
    steps = steps_of_a_life(root)
    syncs = [number for number, step in enumerate(steps) if step.startswith("sync")]
    for failing in syncs[::stride]:
        for later in (failing + 1, failing + 40, None):
            house, disk = _life_with_a_failed_sync(root, failing, later)
            disk.lose_power(remains)
            start_again(root, 1, (failing, later))
            assert_none_lost(root, house.stored, (failing, later))
            shutil.rmtree(root)


def _life_with_a_failed_sync(root, failing, last):
    try:
        house, disk = life_until(root, last, {failing})
    except OSError:
        # The start itself says that the disk is broken.
        shutil.rmtree(root)
        return life_until(root, last)
    try:
        if last is None:
            house.settle_all()
            assert os.listdir(house.directory) == ["spool"]
    except Stopped:
        pass
    return house, disk
