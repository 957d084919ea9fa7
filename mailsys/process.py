"""The process itself: which user it is, how many files it may open, and that it is alone on its data."""

from __future__ import annotations

import fcntl
import os
import pwd
import resource
from contextlib import suppress

from mailsys.disk import Disk, make_durable_directories


class CannotBecome(Exception):  # noqa: N818 - a sentence for the operator
    """The process cannot run as it was told to; the text says why and what would be right."""


def check_user(name: str) -> None:
    """Before anything is opened: may we run as this user?  Raises CannotBecome."""
    if os.geteuid() != 0:
        return
    if not name:
        raise CannotBecome(
            "Started as root without [process] user: name a user that mailsys becomes,"
            ' or "root" to stay root.'
        )
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise CannotBecome(f'[process] user = "{name}": this machine has no such user.') from None


def make_data_folder(path: str, name: str) -> None:
    """Make the data folder if it is missing, so that it is the user's whom we become; raises CannotBecome."""
    if os.path.isdir(path):
        return
    try:
        make_durable_directories(Disk(), path)
        if os.geteuid() == 0 and name not in ("", "root"):
            user = pwd.getpwnam(name)
            os.chown(path, user.pw_uid, user.pw_gid)
    except KeyError:
        raise CannotBecome(f'[process] user = "{name}": this machine has no such user.') from None
    except OSError as error:
        raise CannotBecome(f"The data folder {path} cannot be made: {error.strerror}.") from error


def claim(data: str) -> int:
    """Make sure that no other server works on this data; raises CannotBecome.

    Returns the descriptor that holds the claim, until it is closed or the process ends.
    """
    path = os.path.join(data, "lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotBecome(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise CannotBecome(f"Another mailsys is running with the data folder {data}.") from None
        raise CannotBecome(f"{path} cannot be locked: {error.strerror}.") from error
    return descriptor


def become(name: str) -> None:
    """Give up root for good, with all groups; raises CannotBecome.

    Nothing happens when we are not root or are to stay it.
    """
    if os.geteuid() != 0 or name == "root":
        return
    user = pwd.getpwnam(name)
    try:
        os.initgroups(name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    except OSError as error:
        raise CannotBecome(f"The process cannot become the user {name}: {error.strerror}.") from error


def raise_file_limit() -> None:
    """Every connection is a file: take as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # some systems allow less than they say; then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
