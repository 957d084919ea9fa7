"""The uidlist of a folder that stays open: read again only when another program wrote it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from mailsys.disk import Disk
from mailsys.store.maildir.dotlock import DotLock, thread_lock
from mailsys.store.maildir.look import SPARE_LINES
from mailsys.store.maildir.uidlist import Entry, UidList, UidListFile
from mailsys.store.maildir.uidvalidity import next_uid_validity

Stamp = tuple[int, int, int]
MISSING: Stamp = (0, 0, 0)
Shown = Callable[[], Mapping[str, int]]


class ListLost(Exception):  # noqa: N818 - the folder begins anew
    """The uidlist that was read before has gone, or is another's: what is shown is void."""


class UidBook:
    """Who has which UID in the folder at ``path`` of the account whose Maildir is ``root``.

    ``spare`` are the lines of messages that are not shown: gone, or not seen yet.  For worker threads,
    one at a time.  ``now`` gives seconds since 1970, ``random_octets`` makes GUIDs.
    """

    def __init__(
        self,
        disk: Disk,
        root: str,
        path: str,
        now: Callable[[], float],
        random_octets: Callable[[int], bytes],
    ) -> None:
        self.uid_validity = 0
        self.next_uid = 1
        self.spare: dict[str, Entry] = {}
        self._disk = disk
        self._root = root
        self._file = UidListFile(disk, path)
        self._now = now
        self._random_octets = random_octets
        self._stamp: Stamp | None = None
        self._is_sound = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock against other programs and threads; raises OSError."""
        with thread_lock(self._file.path), DotLock(self._file.path).held():
            yield

    def refresh(self, shown: Shown) -> list[int]:
        """Read it if another wrote it; return UIDs that are shown and not in it any more.

        ``shown`` gives base name → UID of what is shown.  Raises ListLost, OSError.
        """
        stamp = self._read_stamp()
        if stamp == self._stamp:
            return []
        uids = self._file.read()
        if uids is None:
            if self.uid_validity:
                raise ListLost
            self._stamp, self._is_sound = stamp, False
            return []
        if self.uid_validity not in (0, uids.uid_validity):
            raise ListLost
        self._stamp = stamp
        return self._learn(uids, shown())

    def is_current(self) -> bool:
        """Is what was read still what it says?  Raises OSError."""
        return self.is_there() and self._read_stamp() == self._stamp

    def is_there(self) -> bool:
        """Is there a list that could be read?"""
        return self.uid_validity > 0

    def register(self, bases: Sequence[tuple[str, str]]) -> list[int]:
        """Give a new UID to each base name, with fields for its line; synced when it returns.

        A base name that had a line loses it.  Whoever calls holds the lock, and has refreshed since.
        Raises OSError, and then nothing is given.
        """
        if self._is_sound and not bases:
            return []
        if not self._is_sound or any(base in self.spare for base, _fields in bases):
            return self._register_anew(bases)
        entries = [(base, Entry(self.next_uid + place, fields)) for place, (base, fields) in enumerate(bases)]
        self._file.append(entries)
        self._stamp = self._read_stamp()
        self.next_uid += len(entries)
        return [entry.uid for _base, entry in entries]

    def release(self, base: str, uid: int) -> None:
        """Its message has gone; the line stays until the list is cleared."""
        self.spare[base] = Entry(uid)

    def clear(self, present: Callable[[], set[str]], shown_count: int) -> None:
        """Drop the lines of messages that have gone, when they are many; raises OSError.

        ``present`` looks into the folder once more: a look may miss a file that is being renamed.
        """
        if len(self.spare) <= shown_count + SPARE_LINES:
            return
        with self.locked():
            uids = self._file.read()
            if uids is None or uids.uid_validity != self.uid_validity:
                return  # the next look tells
            there = present()
            for base in self.spare.keys() - there:
                uids.entries.pop(base, None)
            self._file.rewrite(uids)
            self.spare = {base: entry for base, entry in self.spare.items() if base in there}
            self._stamp = self._read_stamp()

    def _learn(self, uids: UidList, shown: Mapping[str, int]) -> list[int]:
        self.uid_validity, self._is_sound = uids.uid_validity, uids.sound
        self.next_uid = max(self.next_uid, uids.next_uid)
        lost = [
            uid
            for base, uid in shown.items()
            if (entry := uids.entries.get(base)) is None or entry.uid != uid
        ]
        void = set(lost)
        self.spare = {
            base: entry for base, entry in uids.entries.items() if base not in shown or shown[base] in void
        }
        return lost

    def _register_anew(self, bases: Sequence[tuple[str, str]]) -> list[int]:
        uids = self._file.read() or self._new_list()
        if self.uid_validity not in (0, uids.uid_validity):
            raise ListLost
        uids.next_uid = max(uids.next_uid, self.next_uid)
        for base, _fields in bases:
            uids.entries.pop(base, None)
        given = [uids.add(base, fields).uid for base, fields in bases]
        self._file.rewrite(uids)
        for base, _fields in bases:
            self.spare.pop(base, None)
        self.uid_validity, self.next_uid, self._is_sound = uids.uid_validity, uids.next_uid, True
        self._stamp = self._read_stamp()
        return given

    def _new_list(self) -> UidList:
        """An empty one, with a UIDVALIDITY that the account never had."""
        uid_validity = next_uid_validity(self._disk, self._root, self._now())
        return UidList(uid_validity, header=("G" + self._random_octets(16).hex(),))

    def _read_stamp(self) -> Stamp:
        try:
            status = os.lstat(self._file.path)
        except FileNotFoundError:
            return MISSING
        return status.st_ino, status.st_size, status.st_mtime_ns
