"""The commands after login, one after the other, and what is said around each (RFC 9051 7)."""

from __future__ import annotations

from twisted.logger import Logger

from mailsys.interfaces import ConnectionEnded, FolderRefused, HostStops, ILogins, Session
from mailsys.read.imap.answers import ANSWERS
from mailsys.read.imap.append import append
from mailsys.read.imap.dialogue import SentAway
from mailsys.read.imap.extensions import compress
from mailsys.read.imap.faults import refusal
from mailsys.read.imap.identity import answer_id
from mailsys.read.imap.idle import idle
from mailsys.read.imap.search.command import search, sort_messages
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.append import Append
from mailsys.wire.imap.commands import Command
from mailsys.wire.imap.events import Request
from mailsys.wire.imap.grammar import BadCommand
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.search import Search, Sort
from mailsys.wire.imap.session_commands import Compress, Id, Idle, Logout

log = Logger(namespace="mailsys.read")


class Service:
    """Serves one login until LOGOUT."""

    def __init__(self, session: IMAPSession, logins: ILogins, who: Session) -> None:
        self._session = session
        self._logins = logins
        self._who = who

    async def run(self) -> None:
        """Answer commands; a session does not outlive its password or account."""
        dialogue = self._session.dialogue
        while True:
            said = await dialogue.next()
            if not isinstance(said, Request):
                raise TypeError(f"{said} outside of its command")
            if isinstance(said.command, Logout):
                dialogue.tell(responses.GOODBYE)
                dialogue.say(said.tag, responses.LOGGED_OUT)
                return
            if not await self._logins.is_current(self._who):
                self._send_away(responses.NO_LONGER_LOGGED_IN)
            await self._answer(said)

    async def _answer(self, request: Request) -> None:
        response = await self._response(request)
        # Numbers must not change under a command that speaks of them (RFC 9051 7.5.1).
        may_expunge = getattr(request.command, "by_uid", True)
        while self._session.tell_news(may_expunge=may_expunge):
            await self._session.dialogue.give_way()
        await self._session.tell_of_searches()
        if response is not None:
            self._session.dialogue.say(request.tag, response)
        if self._session.selected is not None and self._session.selected.is_gone:
            self._send_away(responses.FOLDER_HAS_GONE)

    async def _response(self, request: Request) -> Response | None:
        try:
            return await self._obey(request.tag, request.command)
        except (CannotDo, BadCommand) as reason:
            return reason.response
        except FolderRefused as refused:
            return refusal(refused)
        except (ConnectionEnded, HostStops):
            raise
        except OSError as error:
            log.error("The mail of {account} cannot be used: {error}", account=self._name, error=error)
            return responses.UNAVAILABLE
        except Exception:
            log.failure("A command of IMAP session {id} broke", id=self._who.id)
            self._session.dialogue.say(request.tag, responses.COMMAND_BROKE)
            self._send_away(responses.LOCAL_ERROR)
            return None

    async def _obey(self, tag: str, command: Command) -> Response | None:
        """The commands that are not answered as all others are stand here."""
        match command:
            case Append():
                return await append(self._session, command)
            case Idle():
                return await idle(self._session, command, self._logins, self._who)
            case Compress():
                return await compress(self._session, command, tag)
            case Search():
                return await search(self._session, command, tag)
            case Sort():
                return await sort_messages(self._session, command, tag)
            case Id():
                self._session.dialogue.send(answer_id(command, self._who))
                return responses.DONE
        return await ANSWERS[type(command)](self._session, command)

    @property
    def _name(self) -> str:
        return str(self._session.account.address)

    def _send_away(self, response: Response) -> None:
        self._session.dialogue.tell(response)
        raise SentAway(response)
