"""Writes the notices about what became of a message's recipients: one for each kind of news."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from zope.interface import implementer

from mailsys.interfaces import (
    DirectoryUnavailable,
    INotices,
    ISigner,
    IWorkers,
    Notice,
    Progress,
    QueuedMessage,
)
from mailsys.message.address import Address, display_domain
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Body, Envelope
from mailsys.notices.report import Head, Part, report, returned_part, status_part, text_part
from mailsys.notices.returned import Original, read_original
from mailsys.notices.status import delivery_status
from mailsys.notices.told import Kind, Told, told_of
from mailsys.notices.wanted import News, news_of
from mailsys.notices.words import letter, subject

POSTMASTER = "postmaster"
_A_MESSAGE = "Your message"
_A_NOTICE = "A message without a sender, such as a notice,"


@implementer(INotices)
class Notices:
    """``new_id`` gives names for messages; ``workers`` read the message that a notice is about.

    ``first_domain`` is whose postmaster answers for this host, None when there is none.  A message is
    given up when it is ``lifetime_seconds`` old.
    """

    def __init__(
        self,
        hostname: str,
        first_domain: Callable[[], Awaitable[str | None]],
        new_id: Callable[[], str],
        workers: IWorkers,
        now: Callable[[], float],
        lifetime_seconds: float,
        signer: ISigner,
    ) -> None:
        self._hostname = hostname
        self._first_domain = first_domain
        self._new_id = new_id
        self._workers = workers
        self._now = now
        self.lifetime_seconds = lifetime_seconds
        self._signer = signer

    async def compose(self, message: QueuedMessage, progress: Sequence[Progress]) -> Sequence[Notice]:
        """One for each kind of what the sender wants to hear."""
        postmaster = await self._postmaster()
        news = news_of(message, progress, postmaster)
        if news is None:
            return ()
        original = await self._read(message)
        return [
            await self._notice(
                message, [told_of(message, kind, one) for one in of_kind], original, news, postmaster
            )
            for kind, of_kind in news.by_kind.items()
        ]

    async def _read(self, message: QueuedMessage) -> Original:
        """What is left of the message; it may be that its content was lost."""
        try:
            return await self._workers.run(read_original, message.envelope, message.content)
        except OSError:
            return Original()

    async def _postmaster(self) -> Address:
        try:
            domain = await self._first_domain()
        except DirectoryUnavailable:
            domain = None
        return Address(POSTMASTER, domain or self._hostname)

    async def _notice(
        self, message: QueuedMessage, told: Sequence[Told], original: Original, news: News, sender: Address
    ) -> Notice:
        # RFC 6533: only one whose own recipient needs SMTPUTF8 is written with it.
        to = news.to
        is_global = not to.is_ascii
        id_ = self._new_id()
        parts = self._parts(message, told, original, news, is_global=is_global)
        head = Head(id_, self._hostname, sender, to, subject(told), self._now(), original)
        octets = report(head, parts, is_global=is_global)
        body = Body.EIGHT_BIT_MIME if any(part.is_8bit for part in parts) else Body.SEVEN_BIT
        return Notice(
            Envelope(id_, None, (to,), body, smtputf8=is_global, is_vouched_for=True),
            MemoryContent((*await self._signer.lines(MemoryContent((octets,))), octets)),
        )

    def _parts(
        self,
        message: QueuedMessage,
        told: Sequence[Told],
        original: Original,
        news: News,
        *,
        is_global: bool,
    ) -> list[Part]:
        until = message.released + self.lifetime_seconds
        words = letter(
            _A_NOTICE if news.is_double else _A_MESSAGE,
            told,
            original,
            hostname=self._hostname,
            sender_domain=display_domain(news.to.domain),
            until=until,
            message=message,
        )
        status = delivery_status(message, told, hostname=self._hostname, until=until, is_global=is_global)
        # RFC 3461 4.3: the message itself comes back only with the news that it failed.
        kept = original if told[0].kind is Kind.FAILED else replace(original, whole=b"")
        returned = returned_part(kept, is_global=is_global)
        parts = [text_part(words), status_part(status, is_global=is_global)]
        return [*parts, returned] if returned is not None else parts
