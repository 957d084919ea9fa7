"""Makes a message such that a host takes it, or says why that cannot be.

A message goes as it is wherever the host takes it so.  Where it does not, the octets beyond ASCII of
its parts are written in ASCII, part by part; that breaks a signature over them (DKIM), which is less
harm than no message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mailsys.interfaces import IWorkers
from mailsys.message.address import Address
from mailsys.message.content import Content, is_in_file
from mailsys.message.downgrade import Conversion, Unconvertible, survey
from mailsys.message.envelope import Body, Envelope
from mailsys.message.headers import read_header_block
from mailsys.message.reply import Reply
from mailsys.send import trouble
from mailsys.send.body import Pieces, open_content
from mailsys.wire.line_ends import LineEnds
from mailsys.wire.smtp.client_lines import Order
from mailsys.wire.smtp.offers import Offers


@dataclass(frozen=True, slots=True)
class Fitted:
    """What may be said of the message to this host, and how its octets must be changed, if at all."""

    envelope: Envelope
    content: Content
    body: Body
    smtputf8: bool
    conversion: Conversion | None = None
    refused: dict[Address, Reply] = field(default_factory=dict)

    def order(self, recipients: Sequence[Address]) -> Order:
        """Hand it over for these."""
        size = self.content.size if self.conversion is None else None
        return Order(self.envelope, tuple(recipients), size, self.body, self.smtputf8)

    def open_body(self, workers: IWorkers) -> Pieces:
        """Begin to read the octets."""
        if self.conversion is None:
            return open_content(self.content, workers)
        return Pieces(self.conversion.pieces(_in_lines(self.content, self.envelope)), workers)


@dataclass(frozen=True, slots=True)
class Fitting:
    """One message, one host, whose name is ``remote``."""

    envelope: Envelope
    content: Content
    offers: Offers
    remote: str
    workers: IWorkers

    async def fit(self, recipients: Sequence[Address]) -> Fitted:
        """Raises OSError when the content cannot be read."""
        limit = self.offers.size_limit
        if limit is not None and self.content.size > limit:
            sizes = f"{self.content.size} octets, and it takes {limit}"
            return self._refuse(recipients, trouble.TOO_BIG, sizes)
        needing = await self._need_smtputf8(recipients)
        refused = {} if "SMTPUTF8" in self.offers else self._refuse(needing, trouble.NEEDS_SMTPUTF8).refused
        smtputf8 = "SMTPUTF8" in self.offers and (self.envelope.smtputf8 or bool(needing))
        body = await self._true_body()
        if self._takes(body):
            return Fitted(self.envelope, self.content, body, smtputf8, None, refused)
        allow_8bit = "8BITMIME" in self.offers
        try:
            conversion = await self.workers.run(
                survey, _in_lines(self.content, self.envelope), body is Body.BINARY_MIME, allow_8bit
            )
        except Unconvertible as why:
            reply = trouble.CANNOT_SEND_BINARY if body is Body.BINARY_MIME else trouble.CANNOT_CONVERT
            return self._refuse(recipients, reply, str(why))
        body = Body.EIGHT_BIT_MIME if allow_8bit else Body.SEVEN_BIT
        return Fitted(self.envelope, self.content, body, smtputf8, conversion, refused)

    def _takes(self, body: Body) -> bool:
        if body is Body.BINARY_MIME:
            return "BINARYMIME" in self.offers and self.offers.chunking
        return body is Body.SEVEN_BIT or "8BITMIME" in self.offers

    async def _true_body(self) -> Body:
        """What was declared; but 8-bit octets at the beginning are seen whatever was declared."""
        if self.envelope.body is not Body.SEVEN_BIT:
            return self.envelope.body
        first = await open_content(self.content, self.workers).first()
        return Body.SEVEN_BIT if first.isascii() else Body.EIGHT_BIT_MIME

    async def _need_smtputf8(self, recipients: Sequence[Address]) -> list[Address]:
        """Those who can only be reached with it (RFC 6531 3.1)."""
        sender = self.envelope.reverse_path
        if sender is not None and not sender.is_ascii:
            return list(recipients)
        if self.envelope.smtputf8 and "SMTPUTF8" not in self.offers and not await self._has_ascii_header():
            return list(recipients)
        return [recipient for recipient in recipients if not recipient.is_ascii]

    async def _has_ascii_header(self) -> bool:
        if is_in_file(self.content):
            return (await self.workers.run(read_header_block, self.content)).isascii()
        return read_header_block(self.content).isascii()

    def _refuse(self, recipients: Sequence[Address], reply: Reply, detail: str = "") -> Fitted:
        words = f"{reply.text}: {self.remote}" + (f" ({detail})" if detail else "")
        refused = dict.fromkeys(recipients, reply.with_text(words))
        return Fitted(self.envelope, self.content, self.envelope.body, False, None, refused)


def _in_lines(content: Content, envelope: Envelope) -> Iterator[bytes]:
    """The octets with their line ends in order, unless they may mean something else."""
    if envelope.body is Body.BINARY_MIME:
        yield from content.pieces()
        return
    ends = LineEnds()
    for piece in content.pieces():
        yield ends.feed(piece)
    yield ends.end()
