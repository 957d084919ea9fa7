"""``dovecot-uidlist``, version 3: which message has which UID, in the form that Dovecot writes.

    3 V1795447721 N6 G68d3f438a95b046bd42f000083ecc375
    1 :1699999999.M1P1Q4.host,S=18
    3 W21 S18 :1700000001.M1P1Q2.host

``V`` is the UIDVALIDITY, ``N`` a UID that was never given out (it may be too low: the lines count as
well), ``G`` the folder's GUID.  A line is a UID, fields (``W`` and ``S`` where the name does not tell
the sizes; ``P``, ``O`` and ``G`` of a message are Dovecot's and kept), and the base name after a colon.

A UID is never given twice.  A damaged line is dropped, and since it may have held UIDs, as many are
skipped as it had octets.  A file whose first line cannot be read is lost, and with it the UIDVALIDITY.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mailsys.disk import Disk
from mailsys.store.maildir.scan import open_regular
from mailsys.store.maildir.uidvalidity import HIGHEST

NAME = "dovecot-uidlist"
# A million messages take about 60 MB.
FILE_OCTETS = 256 * 1024 * 1024

_PLAIN = re.compile("[!-~]+")
_HEADER = re.compile(r"3((?: [A-Za-z][^ ]*)+)")


class Entry(NamedTuple):
    """A message's UID, and its fields as they stand in the line (``W21 S18``)."""

    uid: int
    fields: str = ""


@dataclass(slots=True)
class UidList:
    """What the file says.  ``entries`` are by base name, in the order of their UIDs.

    ``header`` holds the first line's fields beside V and N.  When not ``sound``, the file must be
    rewritten before a line may be appended.
    """

    uid_validity: int
    next_uid: int = 1
    header: tuple[str, ...] = ()
    entries: dict[str, Entry] = field(default_factory=dict)
    sound: bool = True

    def add(self, base: str, fields: str = "") -> Entry:
        """Give the next UID to a message."""
        entry = self.entries[base] = Entry(self.next_uid, fields)
        self.next_uid += 1
        return entry

    def render(self) -> bytes:
        """The whole file."""
        header = " ".join([f"3 V{self.uid_validity} N{self.next_uid}", *self.header])
        return f"{header}\n".encode() + render_lines(self.entries.items())


def render_lines(entries: Iterable[tuple[str, Entry]]) -> bytes:
    """Lines as they are appended."""
    return os.fsencode(
        "".join(
            f"{uid} {fields} :{base}\n" if fields else f"{uid} :{base}\n" for base, (uid, fields) in entries
        )
    )


def parse(data: bytes) -> UidList | None:
    """Read the file; None when it is lost."""
    text = os.fsdecode(data)
    first, _, rest = text.partition("\n")
    found = _parse_header(first)
    if found is None:
        return None
    damaged = _parse_lines(found, rest)
    found.sound = damaged == 0
    found.next_uid += damaged
    return found if found.next_uid <= HIGHEST else None


def _parse_header(line: str) -> UidList | None:
    match = _HEADER.fullmatch(line)
    if match is None:
        return None
    fields = {text[0]: text[1:] for text in match.group(1).split(" ")[1:]}
    uid_validity = _number(fields.pop("V", ""))
    next_uid = _number(fields.pop("N", "1"))
    if not uid_validity or not next_uid:
        return None
    kept = (key + value for key, value in fields.items())
    # What no program of mail would write there is not handed on: it might not even be text.
    return UidList(uid_validity, next_uid, tuple(text for text in kept if _PLAIN.fullmatch(text)))


def _number(text: str) -> int:
    """A number from 1 to 2**32 - 1, or 0 for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return 0
    number = int(text)
    return number if number <= HIGHEST else 0


def _parse_lines(found: UidList, text: str) -> int:
    """Fill in the entries; the result is how many octets of damage there were."""
    lines = text.split("\n")
    damaged = len(lines.pop())  # what another program is writing now, or what is left of a crash
    entries, last = found.entries, 0
    for line in lines:
        head, colon, base = line.partition(" :")
        uid_text, _, fields = head.partition(" ")
        uid = int(uid_text) if len(uid_text) <= 10 and uid_text.isascii() and uid_text.isdigit() else 0
        if not last < uid < HIGHEST or not colon or not base or base in entries:
            damaged += len(line) + 1
            continue
        entries[base] = Entry(uid, fields)
        last = uid
    found.next_uid = max(found.next_uid, last + 1)
    return damaged


class UidListFile:
    """The file in a folder.  For worker threads; whoever writes holds its lock."""

    def __init__(self, disk: Disk, folder: str) -> None:
        self._disk = disk
        self._folder = folder
        self.path = f"{folder}/{NAME}"

    def read(self) -> UidList | None:
        """What it says, or None when it is missing or lost; raises OSError."""
        try:
            descriptor = open_regular(self.path)
        except FileNotFoundError:
            return None
        try:
            return parse(_read_all(descriptor))
        finally:
            os.close(descriptor)

    def append(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Add lines and sync; raises OSError, and then the lines are not there."""
        descriptor = self._disk.open_append(self.path)
        try:
            size = os.fstat(descriptor).st_size
            try:
                self._disk.write(descriptor, [render_lines(entries)])
                self._disk.sync_data(descriptor)
            except OSError:
                # Nobody was told these UIDs; unsynced they must not be taken for good later.
                self._disk.truncate(descriptor, size)
                raise
        finally:
            self._disk.close(descriptor)

    def rewrite(self, uids: UidList) -> None:
        """Replace the whole file, synced; raises OSError, and then the old file stands."""
        temporary = os.path.join(self._folder, "tmp", NAME)
        try:
            self._disk.unlink(temporary)  # from a crash; the lock makes it ours
        except FileNotFoundError:
            pass
        descriptor = self._disk.create(temporary)
        try:
            self._disk.write(descriptor, [uids.render()])
            self._disk.sync(descriptor)
        except OSError:
            self._disk.unlink(temporary)
            raise
        finally:
            self._disk.close(descriptor)
        self._disk.rename(temporary, self.path)
        self._disk.sync_directory(self._folder)


def _read_all(descriptor: int) -> bytes:
    if os.fstat(descriptor).st_size > FILE_OCTETS:
        raise OSError(f"{NAME} is larger than {FILE_OCTETS} octets")
    pieces = []
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)
