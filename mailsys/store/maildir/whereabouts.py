"""Where one copy is now, in words: its owner may have read, moved or deleted it since."""

from __future__ import annotations

from mailsys.message.address import Address
from mailsys.store.maildir.folders import INBOX, folder_directories
from mailsys.store.maildir.scan import MessageFile, find
from mailsys.store.maildir.tree import MaildirTree

GONE = "It is no longer in the mailbox: it was deleted, or moved away by another program."


def whereabouts(tree: MaildirTree, account: Address, base: str) -> str:
    """Look through all folders for the copy of this base name; changes nothing.  Raises OSError."""
    root = tree.seen(account, INBOX)
    for directory in folder_directories(root) if root else ():
        try:
            found = find(directory, base)
        except FileNotFoundError:
            continue  # no Maildir, or one that has just gone
        if found is not None:
            folder = directory.removeprefix(root or "").lstrip("/.").replace(".", "/") or INBOX
            return f"It lies in {folder} now, {_state(found)}."
    return GONE


def _state(file: MessageFile) -> str:
    flags = file.name.partition(":2,")[2]
    marks = [word for flag, word in (("S", "read"), ("R", "answered"), ("T", "deleted")) if flag in flags]
    if file.subdirectory == "new":
        return "where no program has opened it yet"
    return f"marked as {' and '.join(marks)}" if marks else "not marked as read"
