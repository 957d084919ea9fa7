"""The process itself: which user it is, and how many files it may open."""

from __future__ import annotations

import os
import pwd
import resource


class CannotBecome(Exception):  # noqa: N818 - a sentence for the operator
    """The process cannot run as it was told to; the text says why and what would be right."""


def check_user(name: str) -> None:
    """Before anything is opened: may we run as this user?  Raises CannotBecome."""
    if os.geteuid() != 0:
        return
    if not name:
        raise CannotBecome(
            'Started as root without [process] user: name a user that mailsys becomes, or "root" to stay root.'
        )
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise CannotBecome(f'[process] user = "{name}": this machine has no such user.') from None


def become(name: str) -> None:
    """Give up root for good, with all groups; nothing happens when we are not root or are to stay it."""
    if os.geteuid() != 0 or name == "root":
        return
    user = pwd.getpwnam(name)
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def raise_file_limit() -> None:
    """Every connection is a file: take as many as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
