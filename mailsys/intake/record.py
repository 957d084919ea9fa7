"""The log's records as bytes; ``docs/intake-log.rst`` describes them, :mod:`mailsys.intake.scan` reads them.

A record begins with a line of text.  Its first word is the segment's *token*: random, so that nothing
a stranger puts into a message can pass for a record when a damaged place has to be skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

from mailsys.interfaces import Acceptance, Action, QueueAction
from mailsys.message import envelope_json
from mailsys.message.content import FileContent
from mailsys.message.envelope_json import written

VERSION = 1
MESSAGE, LAID, LATE, ABORTED = "message", "laid", "late", "aborted"
_as_json = json.JSONEncoder(separators=(",", ":"), default=str).encode


@dataclass(frozen=True, slots=True)
class Record:
    """One message as the log holds it; its content lies in the segment or in a spool file.

    ``id`` is ``<segment>.<n>``, unique for ever; ``at`` is when it was handed in, seconds since 1970.
    """

    id: str
    at: float
    acceptance: Acceptance


class Copy(NamedTuple):
    """One copy of a record's message; ``number`` counts the copies from 1."""

    record: Record
    number: int
    action: Action

    @property
    def id(self) -> str:
        """What marks name it: ``<segment>.<n>.<number>``."""
        return f"{self.record.id}.{self.number}"

    @property
    def octets(self) -> int:
        """The size of the whole file."""
        return len(self.action.head) + self.record.acceptance.content.size


def copies_of(record: Record) -> list[Copy]:
    """All copies that the record's message is for."""
    return [Copy(record, number, action) for number, action in enumerate(record.acceptance.actions, 1)]


@dataclass(frozen=True, slots=True)
class Draft:
    """A record but for its id: the JSON, the content's octets unless they lie in the spool, their CRC.

    ``failed_syncs`` is the disk's before the copies were written.
    """

    acceptance: Acceptance
    at: float
    description: bytes
    pieces: Sequence[bytes]
    content_octets: int
    checksum: int
    failed_syncs: int


def draft(acceptance: Acceptance, at: float, spool: str, failed_syncs: int) -> Draft:
    """Make all of a record that can be made before its turn; raises OSError, ValueError, TypeError."""
    content = acceptance.content
    path = spool_file(acceptance, spool)
    pieces = tuple(content.pieces()) if path is None else ()
    octets = sum(map(len, pieces))
    if path is None and octets != content.size:
        raise ValueError(f"the content has {octets} octets and not {content.size}")
    description = _describe(acceptance, at, path)
    checksum = crc32(description)
    for piece in pieces:
        checksum = crc32(piece, checksum)
    return Draft(acceptance, at, description, pieces, octets, checksum, failed_syncs)


def spool_file(acceptance: Acceptance, spool: str) -> str | None:
    """The path of the content if it is a file of the spool, so that it need not be written again."""
    content = acceptance.content
    if isinstance(content, FileContent) and os.path.dirname(content.path) == spool and not content.start:
        return content.path
    return None


def _describe(acceptance: Acceptance, at: float, path: str | None) -> bytes:
    description: dict[str, Any] = {
        "at": at,
        **envelope_json.describe(acceptance.envelope),
        "actions": [_describe_action(action) for action in acceptance.actions],
        "facts": acceptance.facts if type(acceptance.facts) is dict else dict(acceptance.facts),
    }
    if path is not None:
        description["spool"] = os.path.basename(path)
        description["octets"] = acceptance.content.size
    return _as_json(description).encode("ascii")


def _describe_action(action: Action) -> dict[str, Any]:
    if isinstance(action, QueueAction):
        return _describe_queue_action(action)
    description: dict[str, Any] = {
        "account": written(action.account),
        "recipient": written(action.recipient),
        "folder": action.folder,
        "name": action.name,
        "head": action.head.decode("utf-8", "surrogateescape"),
    }
    if action.also_for:
        description["also_for"] = [written(recipient) for recipient in action.also_for]
    return description


def _describe_queue_action(action: QueueAction) -> dict[str, Any]:
    """Its envelope is the record's, but for the recipients and for whom they stand."""
    description: dict[str, Any] = {
        "queue": [written(recipient) for recipient in action.envelope.recipients],
        "at": action.at,
        "octets": action.octets,
        "head": action.head.decode("utf-8", "surrogateescape"),
    }
    if action.not_before:
        description["not_before"] = action.not_before
    if action.held:
        description["held"] = action.held
    if action.free:
        description["free"] = [written(recipient) for recipient in action.free]
    if action.envelope.forwarded:
        description["forwarded"] = envelope_json.describe_forwarded(action.envelope.forwarded)
    return description


def header_line(number: int, boot_id: str, token: str) -> bytes:
    """The first line of a segment."""
    line = f"mailsys-intake {VERSION} {number} {boot_id} {token} ".encode()
    return b"%s%08x\n" % (line, crc32(line))


def message_line(token: str, record_id: str, draft: Draft) -> bytes:
    """The first line of a message's record; JSON, LF, content and LF follow."""
    line = f"{token} {MESSAGE} {record_id} {len(draft.description)} {draft.content_octets} ".encode()
    return b"%s%08x\n" % (line, crc32(line, draft.checksum))


def mark_line(token: str, kind: str, names: Iterable[str]) -> bytes:
    """A whole record that says what has become of others, or of single copies of others."""
    line = f"{token} {kind} {' '.join(names)} ".encode()
    return b"%s%08x\n" % (line, crc32(line))
