"""Return addresses of mail that we forwarded: what comes to them goes on to whoever wrote that mail."""

from __future__ import annotations

from zope.interface import implementer

from mailsys.interfaces import IDirectory, IRouter, Refused, Route, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.srs import Fault, NoReturn, SenderRewriting, is_return_address

_REPLIES = {
    Fault.FORGED: replies.NOT_OUR_RETURN_ADDRESS,
    Fault.EXPIRED: replies.RETURN_ADDRESS_EXPIRED,
}


@implementer(IRouter)
class ReturnRouter:
    """Goes before ``inner``, which knows all other addresses of ours."""

    def __init__(self, directory: IDirectory, rewriting: SenderRewriting, inner: IRouter) -> None:
        self._directory = directory
        self._rewriting = rewriting
        self._inner = inner

    async def route(self, recipient: Address) -> Route | None:
        """Its writer, if the address is one of ours and still good."""
        if not is_return_address(recipient) or not await self._directory.is_local(recipient.domain):
            return None
        try:
            writer = self._rewriting.original(recipient)
        except NoReturn as found:
            return Refused(_REPLIES[found.fault], (f"{recipient} is no return address: {found}",))
        via = f"{recipient} is the return address of {writer}, whose mail was forwarded"
        if await self._directory.is_local(writer.domain):
            return await self._inner.route(writer)
        return ToMailboxes((), (via,), outside=(writer,))
