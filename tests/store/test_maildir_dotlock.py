"""The lock file: others are waited for, the dead are not."""

import os
import socket
import subprocess
import threading

import pytest

from mailsys.store.maildir.dotlock import STALE_SECONDS, DotLock, thread_lock


class Waiting:
    """Time that goes by only in ``sleep``; ``then`` is called once after some waiting."""

    def __init__(self, then=None):
        self.slept = 0.0
        self._then = then

    def sleep(self, seconds):
        self.slept += seconds
        if self._then and self.slept > 1:
            self._then()
            self._then = None


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "dovecot-uidlist")


def lock_file(path, text):
    with open(path + ".lock", "w") as file:
        file.write(text)


def test_it_says_whose_it_is_and_goes(path):
    with DotLock(path).held(), open(path + ".lock") as file:
        assert file.read() == f"{os.getpid()}:{socket.gethostname()}"
    assert not os.path.exists(path + ".lock")


def test_a_running_program_is_waited_for(path):
    lock_file(path, f"{os.getppid()}:{socket.gethostname()}")
    waiting = Waiting(then=lambda: os.unlink(path + ".lock"))
    with DotLock(path, sleep=waiting.sleep).held():
        assert waiting.slept > 1


@pytest.mark.parametrize(
    "owner", ["1:another.host", f"{os.getppid()}:{socket.gethostname()}", "", "nonsense"]
)
def test_waiting_ends(path, owner):
    lock_file(path, owner)
    waiting = Waiting()
    with pytest.raises(TimeoutError), DotLock(path, wait_seconds=5, sleep=waiting.sleep).held():
        pass
    assert 5 <= waiting.slept < 6
    with open(path + ".lock") as file:
        assert file.read() == owner


def test_a_client_is_not_kept_waiting_for_long(path):
    """It is told to come again before it gives up, and the thread is free for others."""
    lock_file(path, "1:another.host")
    waiting = Waiting()
    with pytest.raises(TimeoutError), DotLock(path, sleep=waiting.sleep).held():
        pass
    assert waiting.slept <= 10.1


def test_the_lock_of_a_dead_program_is_taken_at_once(path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    lock_file(path, f"{ended.pid}:{socket.gethostname()}")
    with DotLock(path, wait_seconds=0).held():
        pass


def test_our_own_number_is_from_an_earlier_life(path):
    lock_file(path, f"{os.getpid()}:{socket.gethostname()}")
    with DotLock(path, wait_seconds=0).held():
        pass


def test_an_old_lock_is_taken_unless_the_list_still_changes(path):
    lock_file(path, "1:another.host")
    changed = os.stat(path + ".lock").st_mtime
    later = changed + STALE_SECONDS + 1
    with open(path, "w"):
        os.utime(path, (later - 5, later - 5))
    with pytest.raises(TimeoutError), DotLock(path, wait_seconds=0, now=lambda: later).held():
        pass
    os.utime(path, (changed, changed))
    with DotLock(path, wait_seconds=0, now=lambda: later).held():
        pass


def test_a_fifo_in_its_place_does_not_hold_the_thread(path):
    os.mkfifo(path + ".lock")
    with pytest.raises(OSError, match="not a regular file"), DotLock(path, wait_seconds=0).held():
        pass


def test_threads_share_one_lock_for_a_path(path):
    one = thread_lock(path)
    found = []
    thread = threading.Thread(target=lambda: found.append(thread_lock(path)))
    thread.start()
    thread.join()
    assert found == [one]
    assert thread_lock(path + "x") is not one
