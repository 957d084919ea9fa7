"""Flags of many messages: each is a rename.  As with other Maildir programs, nothing is synced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailsys.interfaces import Flags
from mailsys.store.maildir.file_names import CUR, Ending
from mailsys.store.maildir.folder_files import FolderFiles


@dataclass(slots=True)
class FlagsSet:
    """What became of it: messages that have their new flags, and those that are not where they were seen.

    An ``error`` ended the work; what was done before it stands.
    """

    done: list[tuple[int, Flags]] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    error: OSError | None = None


def set_flags(files: FolderFiles, changes: Sequence[tuple[int, Flags]]) -> FlagsSet:
    """Rename.  In a worker thread; raises NoKeywordLeft and OSError before anything is done."""
    name_keywords(files, changes)
    result = FlagsSet()
    new_known, cur_known = files.new.before_change(), files.cur.before_change()
    for uid, flags in changes:
        try:
            _set(files, uid, flags)
        except (KeyError, FileNotFoundError):
            result.missing.append(uid)
        except OSError as error:
            result.error = error
            break
        else:
            result.done.append((uid, flags))
    files.new.after_change(new_known and not result.missing)
    files.cur.after_change(cur_known and not result.missing)
    return result


def name_keywords(files: FolderFiles, changes: Sequence[tuple[int, Flags]]) -> None:
    """Give letters to keywords that have none; raises NoKeywordLeft, OSError."""
    lacking = files.keywords.lacks(frozenset().union(*{flags for _uid, flags in changes}))
    if lacking:
        with files.book.locked():
            files.keywords.add(lacking, files.letters)


def _set(files: FolderFiles, uid: int, flags: Flags) -> None:
    base, (subdirectory, suffix) = files.names.get(uid)
    new_suffix = files.keywords.suffix(suffix, flags)
    if subdirectory == CUR and new_suffix == suffix:
        return
    path = files.path
    files.disk.rename(f"{path}/{subdirectory}/{base}{suffix}", f"{path}/{CUR}/{base}{new_suffix}")
    files.moved(uid, Ending(CUR, new_suffix))
