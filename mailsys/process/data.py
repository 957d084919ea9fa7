"""The data folder, before a server works on it: there, ours, writable, and nobody else's at the moment."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat

from mailsys.disk import Disk, make_durable_directories
from mailsys.process.user import CannotBecome, user_named

LOCK = "lock"
_PID_OCTETS = 20


class CannotUse(CannotBecome):
    """The data folder cannot be worked on; the text says why and what would be right."""


def make_data_folder(path: str, name: str) -> None:
    """Make the data folder if it is missing, so that it is the user's whom we become; raises CannotBecome."""
    if os.path.isdir(path):
        return
    try:
        make_durable_directories(Disk(), path)
        if os.geteuid() == 0 and name not in ("", "root"):
            user = user_named(name)
            os.chown(path, user.pw_uid, user.pw_gid)
    except OSError as error:
        raise CannotUse(f"The data folder {path} cannot be made: {error.strerror}.") from error


def check_data_folder(path: str, name: str) -> None:
    """May the user whom we become work there?  Raises CannotUse."""
    user = user_named(name)
    try:
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            raise CannotUse(
                f"The data folder {path} is on a file system that is mounted read-only:"
                " mount it for writing, and look why it is not (dmesg)."
            )
        status = os.stat(path)
    except OSError as error:
        raise CannotUse(f"The data folder {path} cannot be used: {error.strerror}.") from error
    if not _may_write(status, user):
        raise CannotUse(
            f"The data folder {path} belongs to {_owner(status)}, and {user.pw_name} may not write there:"
            f" give it away with 'chown -R {user.pw_name} {path}', or run the server as its owner."
        )


def _may_write(status: os.stat_result, user: pwd.struct_passwd) -> bool:
    """As the kernel would see it for that user, who is not always the one that asks."""
    if user.pw_uid == 0:
        return True
    if status.st_uid == user.pw_uid:
        bits = stat.S_IWUSR | stat.S_IXUSR
    elif status.st_gid in _groups(user):
        bits = stat.S_IWGRP | stat.S_IXGRP
    else:
        bits = stat.S_IWOTH | stat.S_IXOTH
    return status.st_mode & bits == bits


def _groups(user: pwd.struct_passwd) -> list[int]:
    if user.pw_uid == os.geteuid():
        return [*os.getgroups(), os.getegid()]
    return os.getgrouplist(user.pw_name, user.pw_gid)


def _owner(status: os.stat_result) -> str:
    try:
        return pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return f"user {status.st_uid}"


def claim(data: str, name: str) -> int:
    """Make sure that no other server works on this data; raises CannotUse.

    Returns the descriptor that holds the claim, until it is closed in this process and in those that it
    forked, or they end.
    """
    path = os.path.join(data, LOCK)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotUse(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        user = user_named(name)
        if os.fstat(descriptor).st_uid != user.pw_uid:
            os.fchown(descriptor, user.pw_uid, user.pw_gid)
    except BlockingIOError:
        other = _read_pid(descriptor)
        os.close(descriptor)
        who = f" (process {other})" if other else ""
        raise CannotUse(f"Another mailsys is running{who} with the data folder {data}.") from None
    except OSError as error:
        os.close(descriptor)
        raise CannotUse(f"{path} cannot be locked: {error.strerror}.") from error
    return descriptor


def sign(descriptor: int) -> None:
    """Write into the claim who holds it; a daemon gets its number late.  Raises OSError."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)


def owner_of_claim(data: str) -> int | None:
    """The process that works on this data; 0 when there is one that has not signed, None without one.

    Raises OSError when it may not be looked at.
    """
    try:
        descriptor = os.open(os.path.join(data, LOCK), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read_pid(descriptor)
    finally:
        os.close(descriptor)


def _read_pid(descriptor: int) -> int:
    digits = os.pread(descriptor, _PID_OCTETS, 0).strip()
    return int(digits) if digits.isdigit() else 0
