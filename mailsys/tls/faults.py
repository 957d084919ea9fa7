"""Why a certificate cannot be used, told so that an operator can put it right."""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one of the files: ``setting`` is "certificate" or "key".

    ``is_denied``: the file may be in order, but we may not read it.
    """

    setting: str
    path: str
    wrong: str
    right: str
    is_denied: bool = False

    def __str__(self) -> str:
        return f"The {self.setting} {self.path} {self.wrong}; {self.right}."


class CertificateError(Exception):
    """A certificate and its key cannot be used."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("  ".join(map(str, faults)))
        self.faults = tuple(faults)

    @property
    def is_denied(self) -> bool:
        """Is it only that we may not read them?"""
        return all(fault.is_denied for fault in self.faults)


def unreadable(setting: str, path: str, error: OSError) -> Fault:
    """What the system said when the file was opened; without a right, where it ends and whose it is not."""
    if error.errno not in (errno.EACCES, errno.EPERM):
        reason = (error.strerror or "error").lower()
        return Fault(setting, path, f"cannot be read ({reason})", f"name the file of the {setting}")
    user, folder = _own_name(), _closed_folder(path)
    right = f"let {user} enter {folder}, and read the file" if folder else f"let {user} read it"
    return Fault(setting, path, f"cannot be read by the user {user} (permission denied)", right, True)


def _own_name() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _closed_folder(path: str) -> str:
    """The first folder on the way that we may not enter, also on the way of links; empty if there is none."""
    for place in (path, os.path.realpath(path)):
        folders = place.split(os.sep)[:-1]
        for end in range(2, len(folders) + 1):
            folder = os.sep.join(folders[:end])
            if os.path.isdir(folder) and not os.access(folder, os.X_OK):
                return folder
    return ""
