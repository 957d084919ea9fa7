"""Files that come into a folder that sessions share: appended, copied, moved.

UIDs are given first and synced, under the folder's lock, then the files are moved into place and the
directories synced: no program sees such a file without its UID, and none is told before it is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twisted.logger import Logger

from mailsys.interfaces import Flags
from mailsys.store.maildir.file_names import CUR, NEW, Ending
from mailsys.store.maildir.folder_files import FolderFiles, Seen
from mailsys.store.maildir.uid_book import ListLost

ATTEMPTS = 5

log = Logger(namespace="mailsys.store")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file at ``source`` that gets this base name; without flags it is new.

    ``origin`` is the base name of the message of which it is a copy.
    """

    source: str
    base: str
    flags: Flags
    origin: str = ""


class FolderGone(Exception):  # noqa: N818 - another program was quicker
    """The folder is not there any more."""


class SourceGone(Exception):  # noqa: N818 - another program was quicker
    """A file that was to be moved is not where it was seen."""


def place(files: FolderFiles, incoming: Sequence[Incoming], seen: Seen, *, claim: bool) -> list[int]:
    """Move all into the folder, or none, and return their UIDs; ``seen`` learns what was there before.

    ``claim`` as for ``FolderFiles.look``.  In a worker thread.  Raises FolderGone, SourceGone, NoKeywordLeft,
    OSError; then no file has moved.
    """
    for _attempt in range(ATTEMPTS):
        _merge(seen, files.look(claim=claim))
        if seen.is_lost:
            raise FolderGone
        try:
            with files.book.locked():
                if files.book.is_current():
                    return _place(files, incoming)
        except (FileNotFoundError, ListLost):
            raise FolderGone from None
    raise OSError(f"Other programs change {files.path} all the time")


def _merge(seen: Seen, more: Seen) -> None:
    seen.gone += more.gone
    seen.changed += more.changed
    seen.arrived += more.arrived
    seen.recent += more.recent
    seen.is_lost |= more.is_lost


def _place(files: FolderFiles, incoming: Sequence[Incoming]) -> list[int]:
    files.keywords.add(frozenset().union(*{one.flags for one in incoming}), files.letters)
    endings = [_ending(files, one) for one in incoming]
    uids = files.book.register([(one.base, "") for one in incoming])
    new_known, cur_known = files.new.before_change(), files.cur.before_change()
    try:
        _rename(files, incoming, endings)
    except (OSError, SourceGone):
        for uid, one in zip(uids, incoming, strict=True):
            files.book.release(one.base, uid)
        raise
    finally:
        files.new.after_change(new_known)
        files.cur.after_change(cur_known)
    for uid, one, ending in zip(uids, incoming, endings, strict=True):
        files.show(uid, one.base, ending)
    return uids


def _ending(files: FolderFiles, one: Incoming) -> Ending:
    return Ending(CUR, files.keywords.suffix("", one.flags)) if one.flags else Ending(NEW, "")


def _rename(files: FolderFiles, incoming: Sequence[Incoming], endings: Sequence[Ending]) -> None:
    done: list[tuple[str, str]] = []
    try:
        for one, (subdirectory, suffix) in zip(incoming, endings, strict=True):
            target = f"{files.path}/{subdirectory}/{one.base}{suffix}"
            try:
                files.disk.rename(one.source, target)
            except FileNotFoundError:
                raise SourceGone from None
            done.append((one.source, target))
        files.sync({ending.subdirectory for ending in endings})
    except (OSError, SourceGone):
        _undo(files, done)
        raise


def _undo(files: FolderFiles, done: Iterable[tuple[str, str]]) -> None:
    """Put back what was moved; a file that cannot be put back stays as a message."""
    for source, target in done:
        try:
            files.disk.rename(target, source)
        except OSError as error:
            files.suspect()
            log.error("{path!r} stays in the folder: {error}", path=target, error=error)
