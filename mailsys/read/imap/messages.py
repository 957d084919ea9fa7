"""Commands that change messages: STORE, EXPUNGE, COPY, MOVE (RFC 9051 6.4, RFC 4315, RFC 6851, RFC 7162)."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import FlagChange, FolderRefused, Placed, Stored
from mailsys.read.imap import updates
from mailsys.read.imap.faults import refusal
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.message_commands import Check, Copy, Expunge, Move, Store
from mailsys.wire.imap.responses import Response, ok
from mailsys.wire.imap.sequence import render_set

AT_ONCE = 1000  # messages told in one go


async def check(session: IMAPSession, command: Check) -> Response:
    """See what other programs did."""
    await session.folder.look()
    return responses.DONE


async def store(session: IMAPSession, command: Store) -> Response:
    """Change flags."""
    folder = session.writable
    if command.unchanged_since is not None:
        session.enabled.add("CONDSTORE")
    uids = session.find(command.messages, by_uid=command.by_uid)
    change = FlagChange(f"{command.change.value.decode()}FLAGS")
    stored = await folder.store(uids, change, command.flags, unchanged_since=command.unchanged_since)
    await _tell_stored(session, command, uids, stored)
    if not stored.modified:
        return responses.DONE
    return ok("Some had changed meanwhile", f"MODIFIED {_named(session, command, stored.modified)}")


async def _tell_stored(session: IMAPSession, command: Store, uids: Sequence[int], stored: Stored) -> None:
    """The flags as they are now; with .SILENT no more than the MODSEQ, if the client knows of any."""
    view = session.open.view
    if command.silent:
        # What has changed by itself meanwhile, of what was not stored, the client must hear.
        view.forget_own(stored.changed)
        uids = stored.changed if session.condstore else ()
    else:
        view.forget_reflagged(uids)
    session.dialogue.send_some(updates.new_keywords(session.open))
    for start in range(0, len(uids), AT_ONCE):
        some = uids[start : start + AT_ONCE]
        told = updates.flags_of(session, session.open, some, modseq_only=command.silent)
        session.dialogue.send_some(told)
        if len(uids) > AT_ONCE:
            await session.dialogue.give_way()


def _named(session: IMAPSession, command: Store, uids: Sequence[int]) -> str:
    """As the command named them: by UID or by number."""
    if command.by_uid:
        return render_set(uids).decode()
    numbers = [session.open.view.number(uid) for uid in uids]
    return render_set(number for number in numbers if number is not None).decode()


async def expunge(session: IMAPSession, command: Expunge) -> Response:
    """Remove what is marked as deleted, or that part of it which the command names."""
    folder = session.writable
    view = session.open.view
    uids = view.uids[:] if command.uids is None else session.find(command.uids, by_uid=True)
    session.counts.expunged += len(await folder.expunge(uids))
    session.dialogue.send_some(updates.gone(session, session.open))
    if session.condstore:
        return ok("Done", f"HIGHESTMODSEQ {folder.highest_modseq}")
    return responses.DONE


async def expunge_quietly(session: IMAPSession) -> int:
    """As CLOSE does it; return how many have gone."""
    gone = len(await session.folder.expunge(session.open.view.uids[:]))
    session.counts.expunged += gone
    return gone


async def copy(session: IMAPSession, command: Copy) -> Response:
    """Copy to another folder, all or none."""
    uids = session.find(command.messages, by_uid=command.by_uid)
    try:
        placed = await session.folder.copy(uids, command.folder)
    except FolderRefused as refused:
        raise CannotDo(refusal(refused, is_target=True)) from refused
    return ok("Copied", _copyuid(placed)) if placed.uids else ok("There was nothing to copy")


async def move(session: IMAPSession, command: Move) -> Response:
    """Move to another folder; what has left this one is told at once (RFC 6851 3.3)."""
    folder = session.writable
    uids = session.find(command.messages, by_uid=command.by_uid)
    try:
        placed = await folder.move(uids, command.folder)
    except FolderRefused as refused:
        raise CannotDo(refusal(refused, is_target=True)) from refused
    if not placed.uids:
        return ok("There was nothing to move")
    session.dialogue.send(ok("Moved", _copyuid(placed)).untagged())
    session.dialogue.send_some(updates.gone(session, session.open))
    if session.condstore:
        return ok("Done", f"HIGHESTMODSEQ {folder.highest_modseq}")
    return responses.DONE


def _copyuid(placed: Placed) -> str:
    sources, uids = render_set(placed.sources).decode(), render_set(placed.uids).decode()
    return f"COPYUID {placed.uid_validity} {sources} {uids}"
