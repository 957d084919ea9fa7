"""The file with the keys of return addresses: a key a line, the newest first, each with its first day.

Only the first makes new addresses.  A key that was replaced verifies until the last address that it
made has expired, and is left out of the file when the next one is made.  A line can be read with ``cat``::

    2026-11-30 5f1c…   (64 hexadecimal digits)
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from datetime import date

from twisted.logger import Logger

from mailsys.disk import Disk, give_to_owner, write_new_file
from mailsys.message.srs import EXPIRY_DAYS, SenderRewriting, SrsKey

FILE_NAME = "return-address-keys"
SECRET_OCTETS = 32
MOST_OCTETS = 64 * 1024
_LINE = re.compile(r"(\d{4}-\d\d-\d\d) ([0-9a-f]{64})")
_EPOCH = date(1970, 1, 1)

log = Logger(namespace="mailsys.route")


class DamagedKeysError(OSError):
    """The file could be read, and not all that is in it are keys."""


class ReturnAddresses:
    """``rewriting`` by the keys of a file.  ``now`` gives seconds since 1970, ``random`` so many octets."""

    def __init__(
        self, disk: Disk, path: str, now: Callable[[], float], random: Callable[[int], bytes]
    ) -> None:
        self._disk = disk
        self._path = path
        self._now = now
        self._random = random
        self.rewriting = SenderRewriting((), self._today)

    def open(self) -> None:
        """Read the keys, and make the first if there is none; raises OSError.

        A damaged file stops no host: it stays beside one with a new key and with all that can be read of it.
        """
        try:
            self.read()
        except DamagedKeysError as error:
            aside = set_aside(self._disk, self._path, self._today(), self._random)
            words = "{error}; it was kept as {aside}, and what its lost keys made finds no way back"
            log.critical(words, error=error, aside=aside)
            self.read()
        if not self.rewriting.keys:
            self.renew()

    def read(self) -> None:
        """Read the keys, if there are any; those in use stay when they are gone.  Raises OSError."""
        keys = tuple(read_keys(self._path))
        if self.rewriting.keys and not keys:
            words = "{path} has no keys any more: those in use stay until the end, so bring it back before"
            log.critical(words, path=self._path)
            return
        self.rewriting.keys = keys

    def renew(self) -> None:
        """Make return addresses with a new key from now on; raises OSError."""
        add_key(self._disk, self._path, self._today(), self._random)
        self.read()

    def _today(self) -> int:
        return int(self._now() // 86_400)


def read_keys(path: str) -> list[SrsKey]:
    """All keys, none when there is no file; raises OSError, also for what is no such file."""
    return [
        SrsKey(secret, _days(later) if later is not None else None) for _made, secret, later in _lines(path)
    ]


def set_aside(disk: Disk, path: str, today: int, random: Callable[[int], bytes]) -> str:
    """Keep a damaged file under the name that is returned, and make another as ``add_key``."""
    names = (f"{path}.damaged-{number}" for number in itertools.count(1))
    aside = next(name for name in names if not os.path.lexists(name))
    disk.link(path, aside)
    add_key(disk, path, today, random, is_damaged=True)
    return aside


def add_key(
    disk: Disk, path: str, today: int, random: Callable[[int], bytes], *, is_damaged: bool = False
) -> None:
    """Make a new key, and forget those whose addresses have all expired; raises OSError.

    ``today`` is in days since 1970, ``random`` gives octets.  The file belongs to the owner of its folder.
    Of one that ``is_damaged``, only lines that can be read are kept.
    """
    kept = [
        f"{made} {secret.hex()}\n"
        for made, secret, later in _lines(path, is_damaged=is_damaged)
        if later is None or _days(later) + EXPIRY_DAYS >= today
    ]
    day = date.fromordinal(_EPOCH.toordinal() + today)
    text = "".join([f"{day} {random(SECRET_OCTETS).hex()}\n", *kept])
    folder = os.path.dirname(path)
    fresh = f"{path}.new"
    if os.path.lexists(fresh):
        disk.unlink(fresh)
    write_new_file(disk, fresh, [[text.encode()]])
    descriptor = disk.open(fresh)
    try:
        give_to_owner(descriptor, folder)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)
    disk.rename(fresh, path)
    disk.sync_directory(folder)


def _lines(path: str, *, is_damaged: bool = False) -> list[tuple[str, bytes, str | None]]:
    """Day, secret, and the day on which the next key replaced it, which stands in the line above."""
    try:
        with open(path, "rb") as file:
            text = file.read(MOST_OCTETS).decode(errors="replace" if is_damaged else "strict")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        raise DamagedKeysError(f"{path} is not text") from None
    found: list[tuple[str, bytes, str | None]] = []
    later: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        try:
            date.fromisoformat(match[1] if match else "")
        except ValueError:
            if is_damaged:
                continue
            raise DamagedKeysError(f"line {number} of {path} is no day and key") from None
        if match is not None:
            found.append((match[1], bytes.fromhex(match[2]), later))
            later = match[1]
    return found


def _days(day: str) -> int:
    return date.fromisoformat(day).toordinal() - _EPOCH.toordinal()
