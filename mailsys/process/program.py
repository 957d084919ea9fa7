"""Can the user whom the server becomes read what the server is made of?

Python loads some of itself when it is first used.  A program in root's home folder would start as root,
and break in odd places once it is somebody else.
"""

from __future__ import annotations

import os
from typing import NoReturn

import twisted

from mailsys.process.user import CannotBecome, user_named

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PARTS = (os.path.dirname(os.__file__), os.path.dirname(twisted.__file__), _OURS)
_NOT_TRIED = 255


def check_program(name: str, parts: tuple[str, ...] = _PARTS) -> None:
    """May the user whom we become read these folders?  Raises CannotBecome; call it before any thread.

    A process of its own tries it as that user, so whatever grants or denies it counts.
    """
    user = user_named(name)
    if user.pw_uid == os.geteuid():
        return
    child = os.fork()
    if child == 0:
        _try(name, user.pw_uid, user.pw_gid, parts)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if 0 <= ended < len(parts):
        raise CannotBecome(
            f"A part of this program is in {parts[ended]}, where {name}, whom the server becomes, may not"
            " read: install mailsys, and its Python, where everybody may, as in /opt/mailsys."
        )


def _try(name: str, uid: int, gid: int, parts: tuple[str, ...]) -> NoReturn:
    """In the child: its exit status is the number of the first part that cannot be read."""
    try:
        os.initgroups(name, gid)
        os.setgid(gid)
        os.setuid(uid)
        shut = (number for number, part in enumerate(parts) if not os.access(part, os.R_OK | os.X_OK))
        os._exit(next(shut, _NOT_TRIED))
    finally:
        os._exit(_NOT_TRIED)
