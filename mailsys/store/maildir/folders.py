"""Folder names and their directories: Maildir++ (``Work/Plans`` lies in ``.Work.Plans``).

A name is Unicode with ``/`` between its levels.  On the disk a level is written in the modified
UTF-7 of RFC 9051 appendix A (RFC 3501 5.1.3), as Courier and Dovecot do, and the dot parts levels,
so no level may hold one.  INBOX, in any case, is the Maildir itself.
"""

from __future__ import annotations

import os
import unicodedata

from mailsys.message.modified_utf7 import decode_utf7, encode_utf7

INBOX = "INBOX"
# A directory name has 255 octets on all usual file systems; Dovecot appends to it when it deletes.
DIRECTORY_OCTETS = 240

_FORBIDDEN_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")


class FolderNameError(ValueError):
    """This cannot be a folder's name; the message says why, in words fit for a peer."""


def folder_directory(name: str) -> str:
    """The directory below the account's Maildir, empty for INBOX; raises FolderNameError."""
    if name.upper() == INBOX:
        return ""
    if len(name) > DIRECTORY_OCTETS:
        raise FolderNameError("the folder name is too long")
    levels = name.split("/")
    for level in levels:
        _check(level)
    directory = "." + ".".join(map(encode_utf7, levels))
    if len(directory) > DIRECTORY_OCTETS:
        raise FolderNameError("the folder name is too long")
    return directory


def _check(level: str) -> None:
    """Refuse what the disk cannot hold, and what two programs would read as two names."""
    if not level or level != level.strip(" "):
        raise FolderNameError("a level of the folder name is empty, or begins or ends with a space")
    if "." in level:
        raise FolderNameError("a folder name must not have a dot")
    if level.startswith("~"):
        raise FolderNameError("a level of the folder name begins with ~")
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in level):
        raise FolderNameError("the folder name has a control character")
    if not unicodedata.is_normalized("NFC", level):
        raise FolderNameError("the folder name is not in Unicode's normal form C")


def found_directory(name: str) -> str:
    """The same for a folder that is there: names count that other programs make and we would not.

    It is one element of a path in any case; raises FolderNameError.
    """
    if name.upper() == INBOX:
        return ""
    levels = name.split("/")
    if (
        len(name) > DIRECTORY_OCTETS
        or not all(levels)
        or any("." in level or "\0" in level for level in levels)
    ):
        raise FolderNameError("there can be no such folder")
    try:
        directory = "." + ".".join(map(encode_utf7, levels))
    except UnicodeEncodeError as error:
        raise FolderNameError("there can be no such folder") from error
    if len(directory) > DIRECTORY_OCTETS:
        raise FolderNameError("there can be no such folder")
    return directory


def folder_name(directory: str) -> str | None:
    """The name of a folder's directory; None for one that is no folder's."""
    try:
        name = "/".join(map(decode_utf7, directory[1:].split(".")))
        return name if found_directory(name) == directory else None
    except ValueError:
        return None


def folder_directories(root: str) -> list[str]:
    """All folders of the Maildir at ``root`` that are there, the Maildir itself first; raises OSError."""
    with os.scandir(root) as entries:
        below = [
            entry.path
            for entry in entries
            if entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]
    return [root, *sorted(below)]
