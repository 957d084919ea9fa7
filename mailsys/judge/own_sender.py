"""Who is logged in sends under its own name: in MAIL, in From and in Sender (RFC 6409 6.1).

Whose name is whose, ``ISenders`` knows.  A notice has no sender in MAIL, and is taken; its From is looked at
as any other.  Every reader believes From, so it is not enough that Sender tells who it was.  Sessions
without a login are none of our business.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import ACCEPT, DirectoryUnavailable, Disposition, ISenders, Session, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.headers import read_headers
from mailsys.message.mailboxes import parse_address_list
from mailsys.message.reply import LOCAL_ERROR, Reply

MOST_MAILBOXES = 10  # in one field

_FIELDS = ((b"from", "From"), (b"sender", "Sender"))
_HEADER_TOO_LARGE = Reply(552, "5.3.4", "The header of the message is too large")
_USABLE = "use your own address, one with a tag, or an alias that leads to you"


class OwnSender(SilentJudge):
    """Refuses mail of users under the names of others."""

    name = "own_sender"

    def __init__(self, senders: ISenders) -> None:
        self._senders = senders

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """Reject with 553 5.7.1 and what may be used, or accept."""
        if session.login is None or reverse_path is None:
            return ACCEPT
        return await self._judge(session.login, [reverse_path], 553, "send")

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """Reject with 550 5.7.1 and what may be used, or accept."""
        if session.login is None:
            return ACCEPT
        headers = read_headers(content)
        if not headers.complete:
            return _reject(_HEADER_TOO_LARGE)
        if not headers.count(b"from"):
            return _reject(Reply(550, "5.7.1", "The message has no From field"))
        for name, words in _FIELDS:
            for field in headers.all(name):
                if (addresses := _addresses(field.value)) is None:
                    return _reject(Reply(550, "5.7.1", f"The addresses of the {words} field cannot be told"))
                verdict = await self._judge(session.login, addresses, 550, f"write in {words}")
                if verdict is not ACCEPT:
                    return verdict
        return ACCEPT

    async def _judge(self, login: Address, addresses: Sequence[Address], code: int, what: str) -> Verdict:
        """The first that is not the account's own decides."""
        for address in addresses:
            try:
                if await self._senders.may_use(login, address):
                    continue
            except DirectoryUnavailable as error:
                reason = f"whose {address} is cannot be looked up: {error}"
                return Verdict(Disposition.DEFER, reason, LOCAL_ERROR)
            # RFC 6531 3.7.4: only a client that spoke of SMTPUTF8 is told what is beyond ASCII.
            named = f"<{address}>" if address.is_ascii else "this address"
            who = f"<{login}>" if login.is_ascii else "you"
            return _reject(Reply(code, "5.7.1", f"{who} may not {what} as {named}; {_USABLE}"))
        return ACCEPT


def _addresses(value: bytes) -> list[Address] | None:
    """All that a field names; None when that cannot be told, or is nobody or too many."""
    found = parse_address_list(value, MOST_MAILBOXES)
    addresses = [mailbox.address for mailbox in found.mailboxes]
    known = [address for address in addresses if address is not None]
    return known if found.complete and known and len(known) == len(addresses) else None


def _reject(reply: Reply) -> Verdict:
    return Verdict(Disposition.REJECT, reply.text, reply)
