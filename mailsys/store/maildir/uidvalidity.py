"""A UIDVALIDITY that the account never had (RFC 9051 2.3.1.1).

It is the clock's seconds, or one more than the last one given out.  The last one is kept as Dovecot
keeps it in the account's Maildir: ``dovecot-uidvalidity`` holds it as eight hexadecimal digits, and
an empty file ``dovecot-uidvalidity.<digits>`` beside it must agree.
"""

from __future__ import annotations

import os
import re

from mailsys.disk import Disk
from mailsys.store.maildir.dotlock import thread_lock

HIGHEST = 2**32 - 1
NAME = "dovecot-uidvalidity"

_TWIN = re.compile(NAME + r"\.([0-9a-f]{8})")


def next_uid_validity(disk: Disk, root: str, now: float) -> int:
    """Take the next one for a folder of the account at ``root``, and keep it; raises OSError."""
    with thread_lock(f"{root}/{NAME}"):
        twins = _twins(root)
        last = max([*twins.values(), _kept(root)])
        value = max(int(now), last + 1)
        if value > HIGHEST:  # what was kept is damaged
            value = int(now)
        _keep(disk, root, value, twins)
        return value


def _twins(root: str) -> dict[str, int]:
    """The files that carry the value in their names."""
    found = {name: _TWIN.fullmatch(name) for name in os.listdir(root)}
    return {name: int(match.group(1), 16) for name, match in found.items() if match}


def _kept(root: str) -> int:
    try:
        descriptor = os.open(f"{root}/{NAME}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        return int(os.read(descriptor, 8), 16)
    except ValueError:
        return 0  # damaged; the clock gives a new one
    finally:
        os.close(descriptor)


def _keep(disk: Disk, root: str, value: int, twins: dict[str, int]) -> None:
    twin = f"{NAME}.{value:08x}"
    if twin not in twins:
        disk.close(disk.create(f"{root}/{twin}"))
    for name in twins:
        if name != twin:
            disk.unlink(f"{root}/{name}")
    temporary = os.path.join(root, "tmp", twin)
    descriptor = disk.create(temporary)
    try:
        disk.write(descriptor, [b"%08x" % value])
    finally:
        disk.close(descriptor)
    disk.rename(temporary, f"{root}/{NAME}")
