"""STATUS and quotas: numbers of folders that are not open (RFC 9051 6.3.11, RFC 8438, RFC 9208)."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import FolderStatus
from mailsys.read.imap.session import IMAPSession
from mailsys.wire.imap import rendering, responses
from mailsys.wire.imap.folder_commands import Getquota, Getquotaroot, Status
from mailsys.wire.imap.responses import Response, no

_FIELDS = {
    "MESSAGES": "messages",
    "RECENT": "recent",
    "UNSEEN": "unseen",
    "DELETED": "deleted",
    "SIZE": "octets",
    "UIDNEXT": "uid_next",
    "UIDVALIDITY": "uid_validity",
    "HIGHESTMODSEQ": "highest_modseq",
}
QUOTA_ROOT = "User quota"
_KIB = 1024


async def status(session: IMAPSession, command: Status) -> Response:
    """Count a folder."""
    session.dialogue.send(await status_line(session, command.folder, command.items))
    return responses.DONE


async def status_line(session: IMAPSession, name: str, items: Sequence[str]) -> bytes:
    """The untagged response; raises FolderRefused."""
    if "HIGHESTMODSEQ" in items:
        session.enabled.add("CONDSTORE")  # RFC 7162 3.1: asking for it is enabling
    found = await session.folders.status(name)
    words = " ".join(f"{item} {_value(session, found, item)}" for item in items)
    return b"* STATUS %b (%b)\r\n" % (rendering.mailbox(name, utf8=session.utf8), words.encode())


def _value(session: IMAPSession, found: FolderStatus, item: str) -> int:
    if item == "APPENDLIMIT":  # RFC 7889 4
        return session.incoming.message_octets
    return int(getattr(found, _FIELDS[item]))


async def getquota(session: IMAPSession, command: Getquota) -> Response:
    """How full the account's mailboxes are."""
    if command.root != QUOTA_ROOT:
        return no("There is no such quota root", "NONEXISTENT")
    session.dialogue.send(await _quota_line(session))
    return responses.DONE


async def getquotaroot(session: IMAPSession, command: Getquotaroot) -> Response:
    """All folders share one."""
    root = rendering.string(QUOTA_ROOT, utf8=False)
    name = rendering.mailbox(command.folder, utf8=session.utf8)
    session.dialogue.send(b"* QUOTAROOT %b %b\r\n" % (name, root) + await _quota_line(session))
    return responses.DONE


async def _quota_line(session: IMAPSession) -> bytes:
    """RFC 9208 4.2.1: in units of 1024 octets; without a limit there is nothing to list."""
    usage = await session.folders.usage()
    root = rendering.string(QUOTA_ROOT, utf8=False)
    if usage.limit is None:
        return b"* QUOTA %b ()\r\n" % root
    used, limit = -(-usage.octets // _KIB), usage.limit // _KIB
    return b"* QUOTA %b (STORAGE %d %d)\r\n" % (root, used, limit)
