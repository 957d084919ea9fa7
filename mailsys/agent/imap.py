"""An account read over IMAP."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.agent.account import Account, CannotRead, Security
from mailsys.agent.dialogue import Dialogue
from mailsys.agent.entry import Entry, look_at
from mailsys.agent.login import Challenge, Offered, Refusal, check_login, log_in
from mailsys.agent.mailbox import BODY_OCTETS, LISTED, MESSAGE_OCTETS, Listing, no_message, too_large
from mailsys.agent.opening import Surroundings
from mailsys.journal.printable import printable
from mailsys.wire.imap import client_commands as commands
from mailsys.wire.imap.client import IMAPClient, State
from mailsys.wire.imap.client_commands import Command
from mailsys.wire.imap.client_events import (
    Answered,
    Broken,
    Challenged,
    Event,
    LoggedIn,
    Ready,
    Refused,
    Stopped,
)
from mailsys.wire.imap.client_responses import Exists, Fetched, parse_number
from mailsys.wire.imap.client_values import BadValue, Value

BATCH = 200  # messages that are asked for at once
_HEADER = (
    "BODY.PEEK[HEADER.FIELDS (DATE FROM SENDER SUBJECT CONTENT-TYPE CONTENT-TRANSFER-ENCODING"
    " CONTENT-DISPOSITION)]"
)
_LISTED = ("UID", "FLAGS", "RFC822.SIZE", "BODYSTRUCTURE", _HEADER, f"BODY.PEEK[TEXT]<0.{BODY_OCTETS}>")


async def open_imap(account: Account, surroundings: Surroundings) -> IMAPMailbox:
    """Connect and log in; raises CannotRead."""
    check_login(account.login)
    machine = IMAPClient(is_secure=account.security is Security.IMPLICIT)
    mailbox = IMAPMailbox(account, machine, await surroundings.connect(account, machine))
    try:
        await mailbox.begin(surroundings)
    except CannotRead:
        mailbox.abort()
        raise
    return mailbox


class IMAPMailbox:
    """A ``Mailbox``; its folder is opened for reading only."""

    def __init__(self, account: Account, machine: IMAPClient, dialogue: Dialogue[Event]) -> None:
        self._account = account
        self._machine = machine
        self._dialogue = dialogue
        self._folder: str | None = None
        self._count = 0

    # ------------------------------------------------------------------ what can be asked

    async def list(self, folder: str) -> Listing:
        """Look at all messages, some at a time."""
        await self._open(folder)
        entries: dict[int, Entry] = {}
        for first in range(max(1, self._count - LISTED + 1), self._count + 1, BATCH):
            asked = range(first, min(first + BATCH, self._count + 1))

            def take(event: Event, asked: range = asked) -> None:
                if isinstance(event, Fetched) and event.number in asked and "RFC822.SIZE" in event.items:
                    entries[event.number] = self._entry(event)

            await self._run(commands.fetch(f"{asked[0]}:{asked[-1]}", _LISTED), take)
        return Listing([entries[number] for number in sorted(entries)], self._count)

    async def fetch(self, folder: str, number: int) -> bytes:
        """Return a message; raises CannotRead for a larger one than is fetched."""
        await self._open(folder)
        if not 1 <= number <= self._count:
            raise CannotRead(no_message(folder, number, self._count))
        found: list[bytes] = []

        def take(event: Event) -> None:
            if isinstance(event, Fetched) and event.number == number:
                found[:] = [_section(event, "BODY[]")] if _section(event, "BODY[]") else found

        await self._run(commands.fetch(str(number), [f"BODY.PEEK[]<0.{MESSAGE_OCTETS}>"]), take)
        if not found:
            raise self._dialogue.failure(f"it did not give message {number}")
        if len(found[0]) >= MESSAGE_OCTETS:
            raise CannotRead(too_large(number))
        return found[0]

    def close(self) -> None:
        """Take leave."""
        if self._machine.state is State.READY:
            self._dialogue.close(self._machine.log_out)
        else:
            self.abort()

    def abort(self) -> None:
        """End it at once."""
        self._dialogue.abort()

    # ------------------------------------------------------------------ the beginning

    async def begin(self, surroundings: Surroundings) -> None:
        """From the greeting to the login; raises CannotRead."""
        ready = await self._ready()
        if self._account.security is Security.STARTTLS:
            if ready.is_logged_in or "STARTTLS" not in ready.capabilities:
                raise self._dialogue.failure("it offers no TLS here, so no password was sent")
            self._machine.start_tls()
            if isinstance(event := await self._next(), Refused):
                raise self._dialogue.failure(f"it does not begin TLS: {event.status.text}")
            await self._dialogue.begin_tls(surroundings.tls.handshake(self._account.host))
            self._machine.tls_started()
            ready = await self._ready()
        if not ready.is_logged_in:
            await self._log_in(ready.capabilities, surroundings)

    async def _ready(self) -> Ready:
        while not isinstance(event := await self._next(), Ready):
            if isinstance(event, Refused):
                raise self._dialogue.failure(f"it does not tell what it can do: {event.status.text}")
        return event

    async def _log_in(self, capabilities: frozenset[str], surroundings: Surroundings) -> None:
        mechanisms = {word.removeprefix("AUTH=") for word in capabilities if word.startswith("AUTH=")}
        offered = Offered(mechanisms, plainly="LOGINDISABLED" not in capabilities)
        await log_in(self._account, self._machine, self._dialogue, offered, surroundings, self._login_step)

    async def _login_step(self) -> Challenge | Refusal | None:
        while True:
            match await self._next():
                case Challenged(data):
                    return Challenge(data)
                case Refused() as refused:
                    return Refusal(refused.status.text)
                case LoggedIn():
                    return None

    # ------------------------------------------------------------------ inside

    async def _open(self, folder: str) -> None:
        if self._folder == folder:
            return
        self._folder, self._count = None, 0
        try:
            command = commands.select(folder, read_only=True)
        except ValueError:
            raise CannotRead(f'"{printable(folder)}" can be no name of a folder.') from None

        def take(event: Event) -> None:
            if isinstance(event, Exists):
                self._count = event.count

        await self._run(command, take, f'it does not open the folder "{folder}"')
        self._folder = folder

    async def _run(
        self, command: Command, take: Callable[[Event], None], when_refused: str = "it refused"
    ) -> None:
        self._machine.run(command)
        while not isinstance(event := await self._next(), Answered):
            if isinstance(event, Refused):
                raise self._dialogue.failure(f"{when_refused}: {event.status.text}")
            take(event)
        self._dialogue.begin_step()

    async def _next(self) -> Event:
        match event := await self._dialogue.next_event():
            case Broken(why):
                raise self._dialogue.failure(f"it {why}")
            case Stopped(status):
                raise self._dialogue.failure(f"it ended the session: {status.text}")
        return event

    def _entry(self, fetched: Fetched) -> Entry:
        items = fetched.items
        try:
            size_octets = parse_number(items["RFC822.SIZE"])
            uid = parse_number(items.get("UID"))
        except BadValue as error:
            raise self._dialogue.failure(f"it {error}") from None
        looks = look_at(_section(fetched, "BODY[HEADER") + _section(fetched, "BODY[TEXT]"))
        return Entry(
            fetched.number,
            str(uid),
            looks.sender,
            looks.subject,
            looks.sent,
            size_octets,
            looks.preview,
            _flags(items.get("FLAGS")),
            _attachments(items.get("BODYSTRUCTURE")),
        )


def _section(fetched: Fetched, name: str) -> bytes:
    """What came of a section; servers write differently what they were asked for."""
    values = (value for item, value in fetched.items.items() if item.startswith(name))
    return next((value for value in values if isinstance(value, bytes)), b"")


def _flags(value: Value) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(flag.decode("utf-8", "replace").lower() for flag in value if isinstance(flag, bytes))


def _attachments(structure: Value) -> int:
    """How many parts say of themselves that they are attached (RFC 9051 7.5.2, body-fld-dsp)."""
    count, waiting = 0, [structure]
    while waiting:
        form = waiting.pop()
        if isinstance(form, list):
            is_disposition = (
                len(form) == 2 and isinstance(form[0], bytes) and form[0].lower() == b"attachment"
            )
            count += is_disposition
            waiting += form
    return count
