"""SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 6.3.2, RFC 7162 3.2.5)."""

from __future__ import annotations

from mailsys.read.imap import updates
from mailsys.read.imap.messages import expunge_quietly
from mailsys.read.imap.selected import Selected
from mailsys.read.imap.session import IMAPSession
from mailsys.read.imap.vanished import vanished_since
from mailsys.wire.imap import rendering, responses
from mailsys.wire.imap.folder_commands import Known, Select
from mailsys.wire.imap.message_commands import Close, Unselect
from mailsys.wire.imap.responses import Response, ok

AT_ONCE = 1000  # messages told in one go
LOOKED_AT_ONCE = 5000  # … whose flags are looked at
_CLOSED = ok("The folder that was open is closed", "CLOSED").untagged()


async def select(session: IMAPSession, command: Select) -> Response:
    """Open a folder and tell what it holds."""
    if command.known is not None and not session.qresync:
        return responses.bad("QRESYNC must be enabled first")
    if command.condstore:
        session.enabled.add("CONDSTORE")
    if session.selected is not None:
        session.leave()
        session.dialogue.send(_CLOSED)
    selected = await session.select(command.folder, read_only=command.read_only)
    session.dialogue.send(await _description(session, selected, command.folder))
    if command.known is not None and command.known.uid_validity == selected.folder.uid_validity:
        await _resynchronise(session, selected, command.known)
    if selected.folder.read_only:
        return ok("Selected for reading", "READ-ONLY")
    return ok("Selected", "READ-WRITE")


async def _description(session: IMAPSession, selected: Selected, name: str) -> bytes:
    folder = selected.folder
    selected.keywords_told = len(folder.keywords)
    lines = [
        updates.flags_and_permanent_flags(folder),
        updates.counts(session, selected),
        ok("UIDs are valid", f"UIDVALIDITY {folder.uid_validity}").untagged(),
        ok("The next UID", f"UIDNEXT {folder.uid_next}").untagged(),
        ok("The highest", f"HIGHESTMODSEQ {folder.highest_modseq}").untagged(),
    ]
    if session.rev2:
        lines.append(b'* LIST () "/" %b\r\n' % rendering.mailbox(name, utf8=session.utf8))
    else:
        lines.append(await _first_unseen(session, selected))
    return b"".join(lines)


async def _first_unseen(session: IMAPSession, selected: Selected) -> bytes:
    """RFC 3501 6.3.1; in slices, since all of a large folder may have been read."""
    uids = selected.view.uids
    for start in range(0, len(uids), LOOKED_AT_ONCE):
        if start:
            await session.dialogue.give_way()
        for number, uid in enumerate(uids[start : start + LOOKED_AT_ONCE], start + 1):
            try:
                if "\\Seen" not in selected.folder.flags(uid):
                    return ok("The first that is not read", f"UNSEEN {number}").untagged()
            except KeyError:
                continue
    return b""


async def _resynchronise(session: IMAPSession, selected: Selected, known: Known) -> None:
    """What has gone and what has changed since the client was here (RFC 7162 3.2.5)."""
    session.dialogue.send_some(await vanished_since(selected, known))
    changed = selected.folder.changed_since(known.modseq)
    if known.uids is not None:
        wanted = set(selected.view.find(known.uids, by_uids=True))
        changed = [uid for uid in changed if uid in wanted]
    for start in range(0, len(changed), AT_ONCE):
        session.dialogue.send_some(updates.flags_of(session, selected, changed[start : start + AT_ONCE]))
        await session.dialogue.give_way()


async def close(session: IMAPSession, command: Close) -> Response:
    """Remove what is marked as deleted, without a word, and leave."""
    folder = session.folder
    gone = 0 if folder.read_only else await expunge_quietly(session)
    session.leave()
    if gone and session.condstore:  # RFC 7162 3.2.8
        return ok("Done", f"HIGHESTMODSEQ {folder.highest_modseq}")
    return responses.DONE


async def unselect(session: IMAPSession, command: Unselect) -> Response:
    """Leave (RFC 3691)."""
    session.leave()
    return responses.DONE
