"""The TRANSACTION and UPDATE states: one open mailbox until QUIT (RFC 1939 5 and 6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from twisted.logger import Logger

from mailsys.interfaces import IMailbox, IWorkers, NotRemoved
from mailsys.read.pop3.dialogue import Dialogue, SentAway
from mailsys.read.pop3.maildrop import Maildrop, NoSuchMessage
from mailsys.read.pop3.retrieval import Retrieval
from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.commands import Capa, Command, Dele, List, Noop, Quit, Retr, Rset, Stat, Top, Uidl
from mailsys.wire.pop3.responses import END, Response
from mailsys.wire.pop3.server import SaslLine

NAMED = 100

log = Logger(namespace="mailsys.read")


class Transaction:
    """Serves one mailbox.  ``retrieved`` and ``deleted`` count what was done.

    ``fetched`` and ``removed`` are the names of the first ``NAMED`` messages each, for their stories.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        mailbox: IMailbox,
        workers: IWorkers,
        is_current: Callable[[], Awaitable[bool]],
    ) -> None:
        self._dialogue = dialogue
        self._is_current = is_current
        self._mailbox = mailbox
        self._maildrop = Maildrop(mailbox)
        self._retrieval = Retrieval(dialogue, mailbox, workers)
        self.retrieved = 0
        self.deleted = 0
        self.fetched: list[str] = []
        self.removed: list[str] = []

    async def run(self) -> Response:
        """Tell the client that it is in, serve it until QUIT, and delete what is marked.

        Returns what is to be said last, when the mailbox is free again.
        A connection that ends before QUIT deletes nothing.
        """
        self._dialogue.logged_in()
        try:
            while not isinstance(command := await self._next(), Quit):
                await self._obey(command)
        finally:
            self._retrieval.close()
        return await self._update()

    async def _next(self) -> Command | SaslLine:
        """Wait for a command; a session does not outlive its password or account, not even for QUIT."""
        command = await self._dialogue.next()
        if not await self._is_current():
            self._dialogue.say(responses.NO_LONGER_LOGGED_IN)
            raise SentAway(responses.NO_LONGER_LOGGED_IN)
        return command

    async def _obey(self, command: Command | SaslLine) -> None:
        try:
            await self._answer(command)
        except NoSuchMessage:
            self._dialogue.say(responses.NO_SUCH_MESSAGE)

    async def _answer(self, command: Command | SaslLine) -> None:
        match command:
            case Retr(number):
                await self._retrieve(number)
            case Top(number, lines):
                message = self._maildrop.message(number)
                await self._is_sent(self._retrieval.top(number, message, lines))
            case Dele(number):
                self._maildrop.mark_deleted(number)
                self._dialogue.say(responses.MARKED_DELETED)
            case List(None):
                await self._send_listing(self._maildrop.scan_listing())
            case List(int(number)):
                octets = self._maildrop.message(number).wire_size
                self._dialogue.send(responses.scan_line(number, octets))
            case Uidl(None):
                await self._send_listing(self._maildrop.unique_id_listing())
            case Uidl(int(number)):
                self._dialogue.send(responses.unique_id_line(number, self._maildrop.unique_id(number)))
            case Stat():
                self._dialogue.send(responses.stat(self._maildrop.count, self._maildrop.octets))
            case Rset():
                self._maildrop.unmark_all()
                self._dialogue.say(responses.MARKS_REMOVED)
            case Capa():
                self._dialogue.list_capabilities()
            case Noop():
                self._dialogue.say(responses.NOTHING_DONE)

    async def _retrieve(self, number: int) -> None:
        message = self._maildrop.message(number)
        if await self._is_sent(self._retrieval.retr(number, message)):
            self.retrieved += 1
            if len(self.fetched) < NAMED:
                self.fetched.append(self._mailbox.name(message.uid))

    async def _is_sent(self, sending: Awaitable[None]) -> bool:
        """Was the message sent?  If not, the client has been told why."""
        try:
            await sending
        except KeyError:
            self._dialogue.say(responses.MESSAGE_GONE)
        except OSError as error:
            log.error("A message cannot be read: {error}", error=error)
            self._dialogue.say(responses.MESSAGE_UNREADABLE)
        else:
            return True
        return False

    async def _send_listing(self, parts: Iterator[bytes]) -> None:
        """Send a listing of any length: a short one at once, a long one so that others get their turn."""
        unsent = responses.LIST_FOLLOWS.render() + next(parts, b"")
        for part in parts:
            self._dialogue.send(unsent)
            await self._dialogue.flow()
            await self._dialogue.pause(0)
            unsent = part
        self._dialogue.send(unsent + END)

    async def _update(self) -> Response:
        """Delete the marked messages."""
        uids = self._maildrop.marked_uids()
        names = [self._mailbox.name(uid) for uid in uids[:NAMED]]
        try:
            if uids:
                self.deleted = await self._mailbox.expunge(uids)
            self.removed = names
        except NotRemoved as error:
            self.deleted = error.removed
            log.error("Messages cannot be deleted: {error}", error=error)
            return responses.SOME_NOT_REMOVED
        return responses.GOODBYE
