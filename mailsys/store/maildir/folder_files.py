"""The files of a folder that sessions have open: what is there, under which names, with which UIDs.

Everything here runs in worker threads, for one job at a time; only ``names`` may be asked meanwhile.
Messages are told from one another by their base names.  What other programs do is found by reading the
directories again, which happens when their times of modification say so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.interfaces import Flags
from mailsys.store.maildir.directory_times import DirectoryTimes
from mailsys.store.maildir.file_names import CUR, NEW, Ending, FileNames
from mailsys.store.maildir.folder_keywords import FolderKeywords
from mailsys.store.maildir.info import INFO
from mailsys.store.maildir.names import arrival, base_name
from mailsys.store.maildir.scan import ATTEMPTS, list_directory
from mailsys.store.maildir.uid_book import ListLost, UidBook

log = Logger(namespace="mailsys.store")

Listing = dict[str, Ending]


@dataclass(slots=True)
class Seen:
    """What a look found: UIDs that have gone, flags of others that changed, and what is new, by rising UID.

    ``is_lost`` says that the folder has gone, or begins anew with another UIDVALIDITY.
    """

    gone: list[int] = field(default_factory=list)
    changed: list[tuple[int, Flags]] = field(default_factory=list)
    arrived: list[tuple[int, Flags]] = field(default_factory=list)
    recent: list[int] = field(default_factory=list)
    is_lost: bool = False


class FolderFiles:
    """The folder at ``path``.  ``seconds`` is a monotonic clock, ``now`` gives seconds since 1970."""

    def __init__(
        self, disk: Disk, path: str, book: UidBook, seconds: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self.path = path
        self.names = FileNames()
        self.book = book
        self.keywords = FolderKeywords(disk, path)
        self.disk = disk
        self.new = DirectoryTimes(f"{path}/{NEW}", seconds, now, is_small=True)
        self.cur = DirectoryTimes(f"{path}/{CUR}", seconds, now)
        self.removed: list[str] = []  # base names of messages that went for good, for the index to forget
        self._in_new: set[int] = set()
        self._some_have_no_uid = False
        self._is_cur_unsynced = False

    def suspect(self) -> None:
        """Another part of this program has changed something.  From any thread."""
        self.new.suspect()
        self.cur.suspect()

    def look(self, *, claim: bool) -> Seen:
        """See what is there now; with ``claim`` move what is new to ``cur``.  Raises OSError."""
        seen = Seen()
        try:
            self._look(seen)
        except (ListLost, FileNotFoundError):
            return Seen(is_lost=True)
        if claim and self._in_new:
            self._claim()
        if seen.gone:
            self.book.clear(self._present, len(self.names))
        return seen

    def forget(self, uids: Collection[int]) -> list[str]:
        """Their files are there no longer; return their base names."""
        bases = [self.names.get(uid)[0] for uid in uids]
        for uid, base in zip(uids, bases, strict=True):
            self.book.release(base, uid)
        self.names.remove(uids)
        self._in_new.difference_update(uids)
        return bases

    def letters(self) -> set[str]:
        """All that stand in the names of messages, behind the colon."""
        return {letter for _uid, _base, ending in self.names.items() for letter in ending.suffix}

    def sync(self, subdirectories: Collection[str]) -> None:
        """Sync entries of these; what was moved from ``new`` to ``cur`` is in one of them at any moment."""
        for subdirectory in (CUR, NEW):
            if subdirectory in subdirectories or (subdirectory == CUR and self._is_cur_unsynced):
                self.disk.sync_directory(f"{self.path}/{subdirectory}")
                self._is_cur_unsynced = False

    def shown(self) -> Mapping[str, int]:
        """Base name → UID."""
        return {base: uid for uid, base, _ending in self.names.items()}

    def show(self, uid: int, base: str, ending: Ending) -> None:
        """Add a message behind all others."""
        self.names.add(uid, base, ending)
        if ending.subdirectory == NEW:
            self._in_new.add(uid)

    def moved(self, uid: int, ending: Ending) -> None:
        """It has another ending now."""
        self.names.move(uid, ending)
        if ending.subdirectory == NEW:
            self._in_new.add(uid)
        elif uid in self._in_new:
            self._in_new.discard(uid)
            self._is_cur_unsynced = True

    def _look(self, seen: Seen) -> None:
        lost = self.book.refresh(self.shown)
        if lost:
            self._lose(lost, seen)
        if self.keywords.refresh():
            seen.changed += [(uid, self.keywords.flags(end.suffix)) for uid, _base, end in self.names.items()]
        # Both are asked: a directory that has gone must be noticed.
        new, cur = self.new.must_be_read(), self.cur.must_be_read()
        if cur or self._some_have_no_uid or (new and not self._look_at_new(seen)):
            self._compare(self._list(), seen)
        elif not self.book.is_there():
            self._show({}, seen)

    def _look_at_new(self, seen: Seen) -> bool:
        """Only mail came: show it.  False when there is more to it, and all must be compared."""
        self.new.begin()
        names = list_directory(self.path, NEW)
        self.new.was_stable()  # what comes meanwhile is seen by the next look
        found = {base_name(name): Ending(NEW, name[len(base_name(name)) :]) for name in names}
        for uid in self._in_new:
            base, ending = self.names.get(uid)
            if found.pop(base, None) != ending:
                return False
        if any(self.names.may_have(base) for base in found):
            return False
        self._show(found, seen)
        return True

    def _lose(self, uids: Collection[int], seen: Seen) -> None:
        """The uidlist says otherwise: what is still there comes again, with the UID that it has now."""
        self.names.remove(uids)
        self._in_new.difference_update(uids)
        seen.gone += uids
        self.suspect()

    def _list(self) -> Listing:
        """All files by base name.  ``new`` is read first: what moves meanwhile is seen twice, not missed."""
        found: Listing = {}
        for _attempt in range(ATTEMPTS):
            self.new.begin()
            self.cur.begin()
            found = {}
            for subdirectory in (NEW, CUR):
                for name in list_directory(self.path, subdirectory):
                    base = base_name(name)
                    found[base] = Ending(subdirectory, name[len(base) :])
            if self.new.was_stable() & self.cur.was_stable():
                break
        return found

    def _compare(self, found: Listing, seen: Seen) -> None:
        missing: list[int] = []
        elsewhere: list[tuple[int, Ending]] = []
        for uid, base, ending in self.names.items():
            there = found.pop(base, None)
            if there is None:
                missing.append(uid)
            elif there != ending:
                elsewhere.append((uid, there))
                if there.suffix != ending.suffix:
                    seen.changed.append((uid, self.keywords.flags(there.suffix)))
        for uid, ending in elsewhere:
            self.moved(uid, ending)
        gone = self._really_gone(missing) if missing else []
        self.removed += self.forget(gone)
        seen.gone += gone
        self._show(found, seen)

    def _really_gone(self, missing: Sequence[int]) -> list[int]:
        """One look may miss a file that is being renamed; two do not.  The next look finds its new name."""
        there = self._present()
        gone = [uid for uid in missing if self.names.get(uid)[0] not in there]
        if len(gone) < len(missing):
            self.suspect()
        return gone

    def _present(self) -> set[str]:
        names = [name for directory in (NEW, CUR) for name in list_directory(self.path, directory)]
        return {base_name(name) for name in names}

    def _show(self, found: Listing, seen: Seen) -> None:
        """Messages that are not shown yet: each gets a UID above all others, if it has none."""
        self._some_have_no_uid = False
        uids = self._listed(found)
        if len(uids) < len(found) or not self.book.is_there():
            uids = self._register(found, uids, seen)
        for base, uid in sorted(uids.items(), key=lambda item: item[1]):
            self.book.spare.pop(base, None)
            self.show(uid, base, found[base])
            seen.arrived.append((uid, self.keywords.flags(found[base].suffix)))
            if found[base].subdirectory == NEW:
                seen.recent.append(uid)

    def _listed(self, found: Listing) -> dict[str, int]:
        """Those that have UIDs; one that was told to be gone does not come back under its old."""
        highest = self.names.uids[-1] if len(self.names) else 0
        spare = self.book.spare
        return {base: spare[base].uid for base in found if base in spare and spare[base].uid > highest}

    def _register(self, found: Listing, uids: dict[str, int], seen: Seen) -> dict[str, int]:
        """Give UIDs to the rest.  When that cannot be written, what has UIDs can still be read."""
        try:
            with self.book.locked():
                lost = self.book.refresh(self.shown)  # another program may have been quicker
                if lost:
                    self._lose(lost, seen)
                uids = self._listed(found)
                new = sorted(found.keys() - uids.keys(), key=arrival)
                uids.update(zip(new, self.book.register([(base, "") for base in new]), strict=True))
        except OSError as error:
            if not self.book.is_there():
                raise
            self._some_have_no_uid = True
            log.error("No UIDs for new messages in {path!r}: {error}", path=self.path, error=error)
        return uids

    def _claim(self) -> None:
        """What sessions were told of is no longer new to other programs.  What fails stays new."""
        all_known = self.new.before_change() & self.cur.before_change()
        for uid in sorted(self._in_new):
            base, ending = self.names.get(uid)
            there = Ending(CUR, ending.suffix or INFO)
            try:
                source = f"{self.path}/{NEW}/{base}{ending.suffix}"
                self.disk.rename(source, f"{self.path}/{CUR}/{base}{there.suffix}")
            except OSError as error:
                all_known = False
                if not isinstance(error, FileNotFoundError):
                    log.warn("A message stays new: {error}", error=error)
                    break
                continue
            self.moved(uid, there)
        self.new.after_change(all_known)
        self.cur.after_change(all_known)
