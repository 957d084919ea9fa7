"""RETR and TOP: a message's octets from the mailbox to the client."""

from __future__ import annotations

from twisted.logger import Logger

from mailsys.interfaces import ConnectionEnded, IMailbox, IWorkers, StoredMessage
from mailsys.message.content import Content, release
from mailsys.read.pop3.dialogue import Dialogue
from mailsys.read.pop3.read_ahead import SMALL_OCTETS, ReadAhead
from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.body import BodyEncoder, TopCut, encode_body

PIECE_OCTETS = 64 * 1024

log = Logger(namespace="mailsys.read")


class Pieces:
    """A large message, piece by piece.  Every method raises KeyError when it has gone, OSError."""

    def __init__(self, mailbox: IMailbox, uid: int, workers: IWorkers) -> None:
        self._mailbox = mailbox
        self._uid = uid
        self._workers = workers
        self._content: Content | None = None
        self._offset = 0

    async def read(self) -> bytes:
        """Return the next piece, empty at the end."""
        if self._content is None:
            self._content = await self._mailbox.content(self._uid)
        try:
            piece = await self._read_range(self._content)
        except FileNotFoundError:
            # Another program may have moved the file, as when a flag changed.
            self._content = await self._mailbox.content(self._uid)
            piece = await self._read_range(self._content)
        self._offset += len(piece)
        return piece

    def close(self) -> None:
        """No more is wanted."""
        if self._content is not None:
            release(self._content)

    async def _read_range(self, content: Content) -> bytes:
        if self._offset >= content.size:
            return b""
        piece = await self._workers.run(content.read, self._offset, PIECE_OCTETS)
        if not piece:
            raise OSError("the message is shorter than it should be")
        return piece


class Retrieval:
    """Sends messages of one open mailbox.

    No program should change a message, and one that did so after LIST has told its size is sent as
    it is now: the client would delete a message of which it has only a part.  Whatever has become
    of it, no more than a small message is held in memory.
    """

    def __init__(self, dialogue: Dialogue, mailbox: IMailbox, workers: IWorkers) -> None:
        self._dialogue = dialogue
        self._mailbox = mailbox
        self._workers = workers
        self._ahead = ReadAhead(mailbox)

    async def retr(self, number: int, message: StoredMessage) -> None:
        """Send the whole message.

        Raises KeyError and OSError while nothing was said; later there is no way to tell the client
        but to end the connection.
        """
        await self._send(responses.octets_follow(message.wire_size), number, message, None)

    async def top(self, number: int, message: StoredMessage, lines: int) -> None:
        """Send the header and the first lines; raises as ``retr``."""
        await self._send(responses.TOP_FOLLOWS.render(), number, message, TopCut(lines))

    def close(self) -> None:
        """Drop what was read ahead."""
        self._ahead.forget()

    async def _send(self, head: bytes, number: int, message: StoredMessage, cut: TopCut | None) -> None:
        whole = await self._ahead.read(number) if message.size <= SMALL_OCTETS else None
        if whole is None:
            await self._send_pieces(head, message, cut)
        else:
            self._dialogue.send(head + encode_body(whole if cut is None else cut.take(whole)))

    async def _send_pieces(self, head: bytes, message: StoredMessage, cut: TopCut | None) -> None:
        pieces = Pieces(self._mailbox, message.uid, self._workers)
        try:
            await self._send_all(pieces, head, cut)
        finally:
            pieces.close()

    async def _send_all(self, pieces: Pieces, head: bytes, cut: TopCut | None) -> None:
        encoder = BodyEncoder()
        piece = await pieces.read()
        self._dialogue.send(head)
        while piece:
            wanted = piece if cut is None else cut.take(piece)
            self._dialogue.send(encoder.encode(wanted))
            await self._dialogue.flow()
            piece = b"" if cut is not None and cut.is_done else await self._go_on(pieces)
        self._dialogue.send(encoder.end())

    async def _go_on(self, pieces: Pieces) -> bytes:
        try:
            return await pieces.read()
        except (KeyError, OSError) as error:
            log.error("A message became unreadable while it was sent: {error!r}", error=error)
            raise ConnectionEnded from error
