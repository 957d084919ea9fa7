"""A look into a folder: every message with its UID and sizes.

UIDs are given out here, at the first look at a message, in the order of arrival; they are synced
before anybody hears them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.interfaces import StoredMessage
from mailsys.store.maildir.dotlock import DotLock, thread_lock
from mailsys.store.maildir.measure import measure
from mailsys.store.maildir.names import arrival, sizes_in
from mailsys.store.maildir.scan import MessageFile, scan
from mailsys.store.maildir.uidlist import Entry, UidList, UidListFile
from mailsys.store.maildir.uidvalidity import next_uid_validity

# The uidlist is written anew when it holds more than this and twice as many lines as messages.
SPARE_LINES = 200

Sizes = tuple[int, int]

log = Logger(namespace="mailsys.store")

_SIZE_FIELD = re.compile(r"(?:^| )S(\d{1,18})(?= |$)")
_WIRE_SIZE_FIELD = re.compile(r"(?:^| )W(\d{1,18})(?= |$)")


@dataclass(frozen=True, slots=True)
class Look:
    """What was there: messages by rising UID, and where each lies, by UID."""

    uid_validity: int
    messages: tuple[StoredMessage, ...]
    files: dict[int, MessageFile]


class FolderLook:
    """Looks into the folder at ``path`` of the account whose Maildir is ``root``.

    ``now`` gives seconds since 1970, ``random_octets`` makes GUIDs.  For worker threads.
    """

    def __init__(
        self,
        disk: Disk,
        root: str,
        path: str,
        now: Callable[[], float],
        random_octets: Callable[[int], bytes],
    ) -> None:
        self._disk = disk
        self._root = root
        self._path = path
        self._now = now
        self._random_octets = random_octets
        self._file = UidListFile(disk, path)

    def take(self) -> Look:
        """Look; raises OSError."""
        # One look at a time in this process: nobody may hear UIDs that another thread still syncs.
        with thread_lock(self._file.path):
            files = scan(self._path)
            uids = self._file.read()
            sizes, unknown = _sizes(files, uids)
            measured = self._measure(files, unknown)
            if uids is None or measured or not files.keys() <= uids.entries.keys() or _is_sparse(uids, files):
                uids = self._register(files, uids, measured)
        return _join(files, uids, sizes | measured)

    def _measure(self, files: dict[str, MessageFile], unknown: list[str]) -> dict[str, Sizes]:
        """Read the messages whose sizes neither name nor uidlist tells; the unreadable are left out."""
        measured: dict[str, Sizes] = {}
        for base in unknown:
            subdirectory, name = files[base]
            try:
                measured[base] = measure(f"{self._path}/{subdirectory}/{name}")
            except OSError as error:
                log.warn("A message is left out: {error}", error=error)
                del files[base]
        return measured

    def _register(
        self, files: dict[str, MessageFile], known: UidList | None, measured: dict[str, Sizes]
    ) -> UidList:
        """Give UIDs to what has none.  When that cannot be written, what has UIDs can still be read."""
        try:
            with DotLock(self._file.path).held():
                return self._update(files, measured)
        except OSError as error:
            if known is None:
                raise
            log.error("No UIDs for new messages in {path!r}: {error}", path=self._path, error=error)
            return known

    def _update(self, files: dict[str, MessageFile], measured: dict[str, Sizes]) -> UidList:
        uids = self._file.read()
        rewrite = uids is None or not uids.sound
        if uids is None:
            uids = self._new_list()
        for base in measured.keys() & uids.entries.keys():
            uids.entries[base] = _with_sizes(uids.entries[base], measured[base])
            rewrite = True
        if _is_sparse(uids, files):
            self._drop_gone(uids, files)
            rewrite = True
        new = sorted(files.keys() - uids.entries.keys(), key=arrival)
        added = [(base, uids.add(base, _fields(base, measured))) for base in new]
        if rewrite:
            self._file.rewrite(uids)
        elif added:
            self._file.append(added)
        return uids

    def _new_list(self) -> UidList:
        uid_validity = next_uid_validity(self._disk, self._root, self._now())
        return UidList(uid_validity, header=("G" + self._random_octets(16).hex(),))

    def _drop_gone(self, uids: UidList, files: dict[str, MessageFile]) -> None:
        """Forget messages that two looks did not see: one look may miss a file that is being renamed."""
        there = files.keys() | scan(self._path).keys()
        for base in uids.entries.keys() - there:
            del uids.entries[base]


def _is_sparse(uids: UidList, files: dict[str, MessageFile]) -> bool:
    return len(uids.entries) > 2 * len(files) + SPARE_LINES


def _sizes(files: dict[str, MessageFile], uids: UidList | None) -> tuple[dict[str, Sizes], list[str]]:
    """The sizes that names and uidlist tell, and the messages whose sizes must be measured."""
    entries = uids.entries if uids else {}
    sizes: dict[str, Sizes] = {}
    unknown: list[str] = []
    for base in files:
        size, wire_size = sizes_in(base)
        if (size is None or wire_size is None) and base in entries:
            fields = entries[base].fields
            size = _field(_SIZE_FIELD, fields) if size is None else size
            wire_size = _field(_WIRE_SIZE_FIELD, fields) if wire_size is None else wire_size
        if size is None or wire_size is None:
            unknown.append(base)
        else:
            sizes[base] = size, wire_size
    return sizes, unknown


def _field(pattern: re.Pattern[str], fields: str) -> int | None:
    found = pattern.search(fields)
    return int(found.group(1)) if found else None


def _with_sizes(entry: Entry, sizes: Sizes) -> Entry:
    others = [text for text in entry.fields.split() if text[0] not in "SW"]
    return Entry(entry.uid, " ".join([f"W{sizes[1]}", f"S{sizes[0]}", *others]))


def _fields(base: str, measured: dict[str, Sizes]) -> str:
    """The fields of a new line: the sizes, unless the name tells them."""
    return _with_sizes(Entry(0), measured[base]).fields if base in measured else ""


def _join(files: dict[str, MessageFile], uids: UidList, sizes: dict[str, Sizes]) -> Look:
    messages, places = [], {}
    for base, (uid, _fields) in uids.entries.items():
        file = files.get(base)
        if file is not None:
            messages.append(StoredMessage(uid, *sizes[base]))
            places[uid] = file
    return Look(uids.uid_validity, tuple(messages), places)
