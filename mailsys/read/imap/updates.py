"""News of the selected folder as untagged responses (RFC 9051 7.3.1, 7.4, 7.5; RFC 7162 3.2.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mailsys.interfaces import Flags, IFolder
from mailsys.read.imap.selected import Selected
from mailsys.wire.imap import rendering
from mailsys.wire.imap.sequence import render_set

SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")

if TYPE_CHECKING:
    from mailsys.read.imap.session import IMAPSession


def news(session: IMAPSession, selected: Selected, *, may_expunge: bool) -> bytes:
    """All that the client does not know yet, and may be told."""
    parts = [new_keywords(selected)]
    if may_expunge:
        parts.append(gone(session, selected))
    arrived = selected.view.take_arrived(selected.folder.uids)
    if arrived:
        parts.append(counts(session, selected))
    parts.append(reflagged(session, selected))
    return b"".join(parts)


def gone(session: IMAPSession, selected: Selected) -> bytes:
    """EXPUNGE for each message that has gone, or VANISHED for all; searches that had them come first."""
    leaving = selected.contexts.leaving(selected.view)
    numbers, uids = selected.view.take_gone()
    if not numbers:
        return b""
    if session.qresync:
        return leaving + b"* VANISHED %b\r\n" % render_set(reversed(uids))
    return leaving + b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def counts(session: IMAPSession, selected: Selected) -> bytes:
    """How many messages there are; IMAP4rev2 has no RECENT."""
    line = b"* %d EXISTS\r\n" % len(selected.view)
    return line if session.rev2 else line + b"* %d RECENT\r\n" % len(selected.folder.recent)


def reflagged(session: IMAPSession, selected: Selected) -> bytes:
    """FETCH with the flags of messages where they are others now."""
    return flags_of(session, selected, selected.view.take_reflagged())


def flags_of(
    session: IMAPSession, selected: Selected, uids: Sequence[int], *, modseq_only: bool = False
) -> bytes:
    """FETCH with UID and flags of these messages, and their MODSEQ if the client has asked for that once."""
    folder, view = selected.folder, selected.view
    lines = []
    render = FlagsRenderer(session, folder)
    for uid in uids:
        number = view.number(uid)
        try:
            items = [] if modseq_only else [b"FLAGS " + render(uid)]
            if session.condstore:
                items.append(b"MODSEQ (%d)" % folder.modseq(uid))
        except KeyError:
            continue  # it has gone, which is told in time
        if number is not None:
            lines.append(b"* %d FETCH (UID %d %b)\r\n" % (number, uid, b" ".join(items)))
    return b"".join(lines)


class FlagsRenderer:
    """Writes flags of messages; most combinations occur many times."""

    def __init__(self, session: IMAPSession, folder: IFolder) -> None:
        self._flags_of = folder.flags
        self._recent = () if session.rev2 else folder.recent
        self._known: dict[tuple[Flags, bool], bytes] = {}

    def __call__(self, uid: int) -> bytes:
        """``(\\Seen Work)``; raises KeyError."""
        key = self._flags_of(uid), uid in self._recent
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = rendering.flags(key[0], ("\\Recent",) if key[1] else ())
        return known

    def column(self, uids: Sequence[int]) -> list[bytes | None]:
        """The same of several; None for one that has gone."""
        try:
            return [self(uid) for uid in uids]
        except KeyError:
            return [self._or_none(uid) for uid in uids]

    def _or_none(self, uid: int) -> bytes | None:
        try:
            return self(uid)
        except KeyError:
            return None


def new_keywords(selected: Selected) -> bytes:
    """FLAGS again, before a client meets a keyword of which it was not told (RFC 9051 7.3.5)."""
    known = len(selected.folder.keywords)
    if known == selected.keywords_told:
        return b""
    selected.keywords_told = known
    return flags_and_permanent_flags(selected.folder)


def flags_and_permanent_flags(folder: IFolder) -> bytes:
    """FLAGS, what messages of the folder may have, and which of it a client can change for good."""
    known = [*SYSTEM_FLAGS, *folder.keywords]
    permanent = b"()" if folder.read_only else rendering.flags(known, ("\\*",))
    return b"* FLAGS %b\r\n* OK [PERMANENTFLAGS %b]\r\n" % (rendering.flags(known), permanent)
