"""The lock on a folder's uidlist: a file ``dovecot-uidlist.lock`` beside it, as Dovecot makes it.

The file holds ``pid:host``.  A lock is stale when that process of this host has ended, or when lock
and uidlist have not changed for two minutes.  Threads of this process exclude each other first, by
a lock in memory; so a file with our own number is from an earlier life.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from mailsys.store.maildir.scan import open_regular

STALE_SECONDS = 120.0
# Dovecot waits as long as a lock may be alive; here a session is told to come back, and a thread is freed
# for others.  A shorter wait breaks nothing, for only a lock that is stale is ever taken from another.
WAIT_SECONDS = 10.0
PAUSE_SECONDS = 0.02
LOCK_OCTETS = 1024

# Of the process, since a lock file names a process.
_thread_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_guard = threading.Lock()


def thread_lock(path: str) -> threading.Lock:
    """The lock between the threads of this process for the file at ``path``; keep it while you need it."""
    with _guard:
        return _thread_locks.setdefault(path, threading.Lock())


@dataclass(frozen=True, slots=True)
class DotLock:
    """The lock file for ``path``.  Whoever takes it holds ``thread_lock(path)`` already."""

    path: str
    wait_seconds: float = WAIT_SECONDS
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; waits in a worker thread.  Raises OSError, ETIMEDOUT when another keeps it."""
        self._take()
        try:
            yield
        finally:
            try:
                os.unlink(self._lock_path)
            except FileNotFoundError:
                pass  # another program thought us dead

    @property
    def _lock_path(self) -> str:
        return self.path + ".lock"

    def _take(self) -> None:
        waited = 0.0
        while not self._create():
            if self._remove_if_stale():
                continue
            if waited >= self.wait_seconds:
                raise OSError(errno.ETIMEDOUT, "Another program keeps the lock", self._lock_path)
            self.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

    def _create(self) -> bool:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self._lock_path, flags, 0o600)
        except FileExistsError:
            return False
        try:
            os.write(descriptor, f"{os.getpid()}:{socket.gethostname()}".encode())
        except OSError:
            os.unlink(self._lock_path)  # nobody could tell whose it is
            raise
        finally:
            os.close(descriptor)
        return True

    def _remove_if_stale(self) -> bool:
        """Remove the lock of a program that has ended; True when the lock is worth another try."""
        try:
            seen = os.lstat(self._lock_path)
            if not (self._owner_has_ended() or self._is_old(seen.st_mtime)):
                return False
            # Another waiter may have removed it and made its own: only the one we looked at goes.
            if os.lstat(self._lock_path).st_ino == seen.st_ino:
                os.unlink(self._lock_path)
        except FileNotFoundError:
            pass
        return True

    def _owner_has_ended(self) -> bool:
        descriptor = open_regular(self._lock_path)
        try:
            pid, _, host = os.read(descriptor, LOCK_OCTETS).partition(b":")
        finally:
            os.close(descriptor)
        if host != socket.gethostname().encode() or not pid.isdigit() or len(pid) > 10:
            return False
        return int(pid) == os.getpid() or not _is_running(int(pid))

    def _is_old(self, changed: float) -> bool:
        try:
            changed = max(changed, os.stat(self.path).st_mtime)
        except FileNotFoundError:
            pass
        return self.now() - changed > STALE_SECONDS


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
