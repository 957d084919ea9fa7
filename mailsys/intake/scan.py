"""Read a segment back: every record that is whole, and what lies between them.

Nothing in a segment is believed without its CRC.  After a damaged place the reading goes on at the
next line that begins with the segment's token.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from zlib import crc32

from mailsys.intake.record import ABORTED, VERSION, Record
from mailsys.interfaces import Acceptance, Action, MailboxAction, QueueAction
from mailsys.message import envelope_json
from mailsys.message.content import Content, FileContent
from mailsys.message.envelope import Envelope
from mailsys.message.envelope_json import read_address

_HEADER = re.compile(rb"(mailsys-intake (\d{1,9}) (\d+) (\S*) ([0-9a-f]{16}) )([0-9a-f]{8})\n")
_MESSAGE = re.compile(rb"([0-9a-f]{16} message (\d+\.\d+) (\d{1,12}) (\d{1,12}) )([0-9a-f]{8})\n")
_MARK = re.compile(rb"([0-9a-f]{16} (laid|late|aborted) ((?:\d+\.\d+(?:\.\d+)? )+))([0-9a-f]{8})\n")
_LATE = re.compile(rb"[0-9a-f]{16} late ")
# How often all octets may be looked through in the search for a token: the candidates are a stranger's.
_SEARCHES = 8
_A_TOKEN = re.compile(rb"([0-9a-f]{16}) (?:message|laid|late|aborted) \d+\.\d+(?:\.\d+)? ")


class _Damaged(Exception):  # noqa: N818 - it only says where reading goes on
    """Here is no whole record."""


class _Place(NamedTuple):
    """What a message's line says of the octets that follow it."""

    id: str
    description: bytes
    content_start: int
    end: int


@dataclass(slots=True)
class ScannedSegment:
    """What a segment holds.  ``boot_id`` is empty when the header cannot be read.

    ``damage`` are the offsets of places that hold no record although whole records follow;
    ``torn_octets`` is the length of such places at the end, as a loss of power leaves them.
    """

    path: str
    token: str = ""
    boot_id: str = ""
    records: dict[str, Record] = field(default_factory=dict)
    laid: set[str] = field(default_factory=set)
    aborted: set[str] = field(default_factory=set)
    damage: list[int] = field(default_factory=list)
    torn_octets: int = 0
    octets: int = 0


def scan(path: str, spool_path: str) -> ScannedSegment:
    """Read one segment; raises OSError and nothing else."""
    with open(path, "rb") as file:
        data = file.read()
    return _Scan(path, data, spool_path).run()


class _Scan:
    """One reading of one segment's octets."""

    def __init__(self, path: str, data: bytes, spool_path: str) -> None:
        self._data = data
        self._spool_path = spool_path
        self._segment = ScannedSegment(path, octets=len(data))
        self._token = b""
        self._checked = 0  # octets whose checksum was computed

    def run(self) -> ScannedSegment:
        """From the header to the end."""
        position = self._header()
        bad = None if position else 0  # where octets begin that are no record
        while position < len(self._data):
            if self._data.startswith(b"\n", position):  # before a mark that was added later
                position += 1
                continue
            try:
                following = self._record(position)
            except _Damaged:
                bad = position if bad is None else bad
                position = self._next_token(position)
                continue
            if bad is not None:
                self._skipped(bad, position)
                bad = None
            position = following
        if bad is not None:
            self._segment.torn_octets += len(self._data) - bad
        return self._segment

    def _skipped(self, bad: int, position: int) -> None:
        """Tell apart: only marks that are added to a sealed segment may stand behind a torn end."""
        if _LATE.match(self._data, position):
            self._segment.torn_octets += position - bad
        else:
            self._segment.damage.append(bad)

    def _header(self) -> int:
        match = _HEADER.match(self._data)
        if match and int(match[6], 16) == crc32(match[1]) and int(match[2]) == VERSION:
            self._token = match[5]
            self._segment.boot_id = match[4].decode("ascii", "replace")
            self._segment.token = self._token.decode()
            return match.end()
        return self._without_header()

    def _without_header(self) -> int:
        """Take the token of the first record that is whole under its own."""
        for match in _A_TOKEN.finditer(self._data):
            self._token = match[1]
            if self._is_whole(match.start()):
                self._segment.token = self._token.decode()
                return 0
            if self._checked > _SEARCHES * len(self._data):
                self._segment.damage.append(0)  # so that it is kept, for a person to look at
                break
        self._token = b""
        return 0

    def _is_whole(self, position: int) -> bool:
        try:
            if self._mark(position) is None:
                self._place(position)
        except _Damaged:
            return False
        return True

    def _next_token(self, position: int) -> int:
        found = self._data.find(self._token + b" ", position + 1) if self._token else -1
        return found if found >= 0 else len(self._data)

    def _record(self, position: int) -> int:
        """Take the record that begins here; returns where the next begins."""
        if mark := self._mark(position):
            marked = self._segment.aborted if mark[2] == ABORTED.encode() else self._segment.laid
            marked.update(mark[3].decode().split())
            return mark.end()
        place = self._place(position)
        try:
            self._segment.records[place.id] = self._decoded(place)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _Damaged from error
        return place.end

    def _mark(self, position: int) -> re.Match[bytes] | None:
        """The whole mark that begins here; None when a message does."""
        match = _MARK.match(self._data, position)
        if match and not (match[1].startswith(self._token) and int(match[4], 16) == crc32(match[1])):
            raise _Damaged
        return match

    def _place(self, position: int) -> _Place:
        match = _MESSAGE.match(self._data, position)
        if match is None or not match[1].startswith(self._token):
            raise _Damaged
        start = match.end()
        content_start = start + int(match[3]) + 1
        end = content_start + int(match[4])
        if end > len(self._data):
            raise _Damaged
        self._checked += end - start
        description = self._data[start : content_start - 1]
        checksum = crc32(memoryview(self._data)[content_start:end], crc32(description))
        if crc32(match[1], checksum) != int(match[5], 16):
            raise _Damaged
        return _Place(match[2].decode(), description, content_start, end + 1)

    def _decoded(self, place: _Place) -> Record:
        described = json.loads(place.description)
        envelope = envelope_json.read(described)
        acceptance = Acceptance(
            envelope=envelope,
            actions=tuple(_action(action, envelope) for action in described["actions"]),
            content=self._content(described, place),
            facts=described["facts"],
        )
        return Record(place.id, float(described["at"]), acceptance)

    def _content(self, described: dict[str, Any], place: _Place) -> Content:
        if name := described.get("spool"):
            if os.path.basename(name) != name:
                raise ValueError("the spool file's name is a path")
            return FileContent(os.path.join(self._spool_path, name), described["octets"])
        octets = place.end - 1 - place.content_start
        return FileContent(self._segment.path, octets, place.content_start)


def _action(described: dict[str, Any], envelope: Envelope) -> Action:
    head = described["head"].encode("utf-8", "surrogateescape")
    if (recipients := described.get("queue")) is not None:
        return QueueAction(
            envelope=replace(
                envelope,
                recipients=tuple(map(read_address, recipients)),
                forwarded=envelope_json.read_forwarded(described),
            ),
            at=float(described["at"]),
            head=head,
            octets=described["octets"],
            not_before=float(described.get("not_before", 0.0)),
            held=described.get("held", ""),
            free=tuple(map(read_address, described.get("free", ()))),
        )
    return MailboxAction(
        account=read_address(described["account"]),
        recipient=read_address(described["recipient"]),
        folder=described["folder"],
        name=described["name"],
        head=head,
        also_for=tuple(map(read_address, described.get("also_for", ()))),
    )
