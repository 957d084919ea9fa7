"""Which user the process is: root as long as it opens ports, and never again after that."""

from __future__ import annotations

import ctypes
import os
import pwd

_CAPABILITY_VERSION = 0x20080522  # capset(2), _LINUX_CAPABILITY_VERSION_3: 64 bits in two halves
_STATUS = "/proc/self/status"


class CannotBecome(Exception):  # noqa: N818 - a sentence for the operator
    """The process cannot run as it was told to; the text says why and what would be right."""


def user_named(name: str) -> pwd.struct_passwd:
    """The user of ``[process] user``, who is ourselves when none is named; raises CannotBecome."""
    try:
        return pwd.getpwnam(name) if name else pwd.getpwuid(os.geteuid())
    except KeyError:
        if name:
            raise CannotBecome(f'[process] user = "{name}": this machine has no such user.') from None
        uid, gid = os.geteuid(), os.getegid()
        return pwd.struct_passwd((f"user {uid}", "", uid, gid, "", "/", ""))  # as in a container


def check_user(name: str) -> None:
    """Before anything is opened: may we run as this user?  Raises CannotBecome."""
    if os.geteuid() == 0:
        if not name:
            raise CannotBecome(
                "Started as root without [process] user: name a user that mailsys becomes,"
                ' or "root" to stay root.'
            )
        user_named(name)
    elif name and user_named(name).pw_uid != os.geteuid():
        raise CannotBecome(
            f'[process] user = "{name}", but mailsys was started as {user_named("").pw_name}, who cannot'
            f" become {name}: start it as root or as {name}, or name nobody there."
        )


def become(name: str) -> None:
    """Give up root for good, with all groups and capabilities; raises CannotBecome.

    Nothing happens when we are root and are to stay it.
    """
    if os.geteuid() == 0 and name == "root":
        return
    try:
        if os.geteuid() == 0:
            user = user_named(name)
            os.initgroups(name, user.pw_gid)
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        _give_up_capabilities()
    except OSError as error:
        raise CannotBecome(f"The process cannot become the user {name}: {error.strerror}.") from error


def _give_up_capabilities() -> None:
    """What a service manager gave us to open low ports; a thread that is begun later has none, either."""
    if not _has_capabilities():
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; the ambient ones go with them
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, nothing):
        number = ctypes.get_errno()
        raise OSError(number, f"its capabilities cannot be given up ({os.strerror(number)})")


def _has_capabilities() -> bool:
    """Any that are permitted or could be inherited; where the kernel does not tell, perhaps."""
    try:
        with open(_STATUS, encoding="ascii", errors="replace") as file:
            lines = dict(line.split(":", 1) for line in file if line.startswith(("CapInh:", "CapPrm:")))
    except OSError:
        return True
    return any(int(value, 16) for value in lines.values())
