"""The process is killed at every operation on the disk, of receiving, delivering, settling and replay."""

import os
import shutil

import pytest
from disks import KILLED, ExitingDisk, SteppedDisk, Stopped, StoppingDisk
from house import House, assert_each_once, assert_log_is_empty, live

pytestmark = pytest.mark.row(53)


def steps_of_a_life(root):
    disk = SteppedDisk()
    live(House(root, disk))
    shutil.rmtree(root)
    return len(disk.steps)


def in_a_child(work):
    """Run ``work(tell)`` in a forked process; returns the lines it told, and its exit status."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            work(lambda line: os.write(writer, line.encode() + b"\n"))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        lines = told.read().split()
    return lines, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def life_in_a_child(root, last):
    def work(tell):
        house = House(root, ExitingDisk(last))
        house.on_stored = tell
        live(house)

    return in_a_child(work)


def start_again(root, life, context):
    """The next process on the same boot: it replays, and everything is settled afterwards."""
    house = House(root, SteppedDisk(), life=life)
    house.replay()
    house.settle_all()
    assert_log_is_empty(house, context)


def test_killed_at_each_step_of_a_life(root):
    """Row 53: an accepted message is there exactly once for everybody, and no half file is seen."""
    os.mkdir(root)
    for last in range(steps_of_a_life(root)):
        os.mkdir(root)
        stored, status = life_in_a_child(root, last)
        assert status == KILLED
        start_again(root, 1, last)
        assert_each_once(root, stored, last)
        shutil.rmtree(root)


def test_killed_again_at_each_step_of_the_replay(root):
    """Row 53: the start-up repair may be killed as often as you like, each time one step later."""
    os.mkdir(root)
    for last in range(0, steps_of_a_life(root), 6):
        os.mkdir(root)
        stored, _status = life_in_a_child(root, last)
        lives = 1
        while _replay_is_killed(root, lives):
            lives += 1
        assert_each_once(root, stored, (last, lives))
        start_again(root, lives + 1, (last, lives))
        assert_each_once(root, stored, (last, lives))
        shutil.rmtree(root)


def _replay_is_killed(root, life):
    """One more process, which comes a step farther than the last."""
    house = House(root, StoppingDisk(life), life=life)
    try:
        house.replay()
    except Stopped:
        return True
    return False


def test_killed_in_a_child_at_each_step_of_the_replay(root):
    """Row 53: the same with a process that really ends, after the worst moment: all logged, nothing laid."""
    stopped_at = _before_the_last_batch_is_laid(root)
    saved = root + "-saved"
    shutil.copytree(root, saved)
    for last in range(1000):
        shutil.rmtree(root)
        shutil.copytree(saved, root)

        def replay(tell, last=last):
            House(root, ExitingDisk(last), life=1).replay()

        _, status = in_a_child(replay)
        start_again(root, 2, last)
        assert_each_once(root, stopped_at.stored, last)
        if status == 0:
            break
    assert last > 20


def _before_the_last_batch_is_laid(root):
    """A life that ended after the last sync of the log."""
    os.mkdir(root)
    dry = SteppedDisk()
    live(House(root, dry))
    shutil.rmtree(root)
    os.mkdir(root)
    syncs = [number for number, step in enumerate(dry.steps) if step == "sync_data"]
    house = House(root, StoppingDisk(syncs[-1] + 1))
    with pytest.raises(Stopped):
        live(house)
    return house
