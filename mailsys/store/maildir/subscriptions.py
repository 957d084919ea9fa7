"""``subscriptions`` in an account's Maildir, as Dovecot writes it: the names that clients list with LSUB.

    V<TAB>2

    INBOX
    Work<TAB>Plans

Names are in modified UTF-7, with a tab between the levels.  Older files lack the first line, and have a dot
or a slash between the levels.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from mailsys.disk import Disk
from mailsys.message.modified_utf7 import decode_utf7, encode_utf7
from mailsys.store.hierarchy import SEPARATOR
from mailsys.store.maildir.dotlock import thread_lock
from mailsys.store.maildir.file_names import TMP
from mailsys.store.maildir.scan import open_regular
from mailsys.store.maildir.text_file import replace_file

NAME = "subscriptions"
FILE_OCTETS = 4 * 1024 * 1024
MOST = 10_000

_HEADER = "V\t2"
_OLD_SEPARATORS = re.compile(r"[./]")


class TooManySubscriptions(Exception):  # noqa: N818 - nothing is broken
    """There are as many as there may be."""


class Subscriptions:
    """The file in the Maildir at ``root``.  For worker threads."""

    def __init__(self, disk: Disk, root: str) -> None:
        self._disk = disk
        self._root = root
        self._path = f"{root}/{NAME}"

    def names(self) -> list[str]:
        """Those subscribed; raises OSError."""
        try:
            descriptor = open_regular(self._path)
        except FileNotFoundError:
            return []
        try:
            return _parse(os.fsdecode(_read(descriptor)))
        finally:
            os.close(descriptor)

    def set(self, name: str, *, wanted: bool) -> bool:
        """Add or remove a name, synced; False when it was so already.

        Raises TooManySubscriptions, OSError.
        """
        with thread_lock(self._path):
            names = self.names()
            if (name in names) == wanted:
                return False
            if wanted and len(names) >= MOST:
                raise TooManySubscriptions
            names = [*names, name] if wanted else [other for other in names if other != name]
            replace_file(self._disk, self._path, f"{self._root}/{TMP}", _render(names))
            return True


def _parse(text: str) -> list[str]:
    lines = text.split("\n")
    separators = _OLD_SEPARATORS
    if lines[0] == _HEADER:
        lines, separators = lines[1:], re.compile("\t")
    found: dict[str, None] = {}
    for line in lines:
        levels = separators.split(line) if line else []
        try:
            name = SEPARATOR.join(map(decode_utf7, levels))
        except ValueError:
            continue  # it cannot be a folder's name
        if name and len(found) < MOST:
            found[name] = None
    return list(found)


def _render(names: Collection[str]) -> bytes:
    lines = ["\t".join(map(encode_utf7, name.split(SEPARATOR))) for name in names]
    return os.fsencode("".join(f"{line}\n" for line in (_HEADER, "", *lines)))


def _read(descriptor: int) -> bytes:
    if os.fstat(descriptor).st_size > FILE_OCTETS:
        raise OSError(f"{NAME} is larger than {FILE_OCTETS} octets")
    return os.read(descriptor, FILE_OCTETS)
