"""Parts of messages that are here already, for CATENATE (RFC 4469, RFC 5092)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.wire.imap.responses import no


async def append_part(
    session: IMAPSession,
    url: str,
    add: Callable[[bytes], Awaitable[None]],
    require_room: Callable[[int], None],
) -> None:
    """Add what the URL names to the message; raises CannotDo, OSError."""
    raise CannotDo(no("That cannot be found here", f'BADURL "{url}"'))
