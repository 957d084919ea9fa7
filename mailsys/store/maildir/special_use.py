r"""``mailsys-special-use`` in an account's Maildir: what folders are for (RFC 6154).

    \Sent .Sent
    \Junk .Spam

A line has an attribute and a folder's directory.  Other programs do not know the file, and need not: Dovecot
has such attributes in its configuration, by the folder's name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from mailsys.disk import Disk
from mailsys.store.maildir.dotlock import thread_lock
from mailsys.store.maildir.file_names import TMP
from mailsys.store.maildir.scan import open_regular
from mailsys.store.maildir.text_file import replace_file

NAME = "mailsys-special-use"
FILE_OCTETS = 1024 * 1024

_LINE = re.compile(r"(\\[A-Za-z]{1,30}) (\.[^\n]+)")


class SpecialUse:
    """The file in the Maildir at ``root``.  For worker threads."""

    def __init__(self, disk: Disk, root: str) -> None:
        self._disk = disk
        self._root = root
        self._path = f"{root}/{NAME}"

    def uses(self) -> dict[str, str]:
        """Directory → attribute; raises OSError."""
        try:
            descriptor = open_regular(self._path)
        except FileNotFoundError:
            return {}
        try:
            text = os.fsdecode(os.read(descriptor, FILE_OCTETS))
        finally:
            os.close(descriptor)
        lines = map(_LINE.fullmatch, text.split("\n"))
        return {match[2]: match[1] for match in lines if match}

    def change(self, changes: Mapping[str, str]) -> None:
        """Give directories attributes, empty for none, synced; raises OSError."""
        with thread_lock(self._path):
            before = self.uses()
            after = {directory: use for directory, use in {**before, **changes}.items() if use}
            if after != before:
                lines = "".join(f"{use} {directory}\n" for directory, use in after.items())
                replace_file(self._disk, self._path, f"{self._root}/{TMP}", os.fsencode(lines))
