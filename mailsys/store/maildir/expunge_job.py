"""Messages go for good."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailsys.store.maildir.folder_files import FolderFiles
from mailsys.store.maildir.names import sizes_in


@dataclass(slots=True)
class Expunged:
    """What has gone and how many octets that was; ``missing`` are not where they were seen."""

    gone: list[int] = field(default_factory=list)
    octets: int = 0
    missing: list[int] = field(default_factory=list)
    error: OSError | None = None


def expunge(files: FolderFiles, uids: Sequence[int]) -> Expunged:
    """Unlink; a loss of power may bring them back.  In a worker thread."""
    result = Expunged()
    new_known, cur_known = files.new.before_change(), files.cur.before_change()
    for uid in uids:
        try:
            path = f"{files.path}/{files.names.path(uid)}"
            octets = octets_of(path)
            files.disk.unlink(path)
        except (KeyError, FileNotFoundError):
            result.missing.append(uid)
        except OSError as error:
            result.error = error
            break
        else:
            result.gone.append(uid)
            result.octets += octets
    files.removed += files.forget(result.gone)
    files.new.after_change(new_known and not result.missing)
    files.cur.after_change(cur_known and not result.missing)
    return result


def octets_of(path: str) -> int:
    """The size that its name tells, or the file; raises OSError."""
    size, _wire_size = sizes_in(os.path.basename(path))
    return os.lstat(path).st_size if size is None else size
