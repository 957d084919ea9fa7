"""IDLE: news as it happens (RFC 2177)."""

from __future__ import annotations

from mailsys.interfaces import ILogins, Session, TimedOut
from mailsys.read.imap.dialogue import SentAway
from mailsys.read.imap.session import IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.events import IdleEnds
from mailsys.wire.imap.responses import Response, ok
from mailsys.wire.imap.session_commands import Idle

STILL_HERE_SECONDS = 120.0  # so that nothing on the way forgets the connection, and its end is noticed
_STILL_HERE = ok("Still here")


async def idle(session: IMAPSession, command: Idle, logins: ILogins, who: Session) -> Response | None:
    """Tell news until the client has said DONE; None when it said something else, and was told."""
    if session.selected is not None:
        await session.folder.look()
    session.dialogue.send(b"+ Idling\r\n")
    session.is_idle = True
    session.news()
    try:
        ended = await _until_done(session, logins, who)
    finally:
        session.is_idle = False
    return responses.DONE if ended else None


async def _until_done(session: IMAPSession, logins: ILogins, who: Session) -> bool:
    dialogue = session.dialogue
    silent = 0.0
    while silent < dialogue.idle_seconds:
        try:
            return isinstance(await dialogue.end_of_idle(STILL_HERE_SECONDS), IdleEnds)
        except TimedOut:
            silent += STILL_HERE_SECONDS
        if not await logins.is_current(who):
            dialogue.tell(responses.NO_LONGER_LOGGED_IN)
            raise SentAway(responses.NO_LONGER_LOGGED_IN)
        await dialogue.flow()
        dialogue.tell(_STILL_HERE)
    raise TimedOut
