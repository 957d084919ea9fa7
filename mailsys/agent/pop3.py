"""An account read over POP3: one folder, and numbers that count only while the connection lasts."""

from __future__ import annotations

import re

from mailsys.agent.account import Account, CannotRead, Security
from mailsys.agent.dialogue import Dialogue
from mailsys.agent.entry import Entry, look_at
from mailsys.agent.login import Challenge, Offered, Refusal, check_login, log_in
from mailsys.agent.mailbox import INBOX, LISTED, MESSAGE_OCTETS, Listing, no_message, too_large
from mailsys.agent.opening import Surroundings
from mailsys.journal.printable import printable
from mailsys.wire.pop3.client import POP3Client, State
from mailsys.wire.pop3.client_events import (
    Answered,
    Broken,
    Challenged,
    Event,
    LoggedIn,
    Offers,
    Ready,
    Refused,
)

BODY_LINES = 20  # of a message, fetched for its first words
LIST_OCTETS = 16 * 1024 * 1024
_LINE = re.compile(rb"^([0-9]{1,9}) +([!-~]{1,70})", re.MULTILINE)


async def open_pop3(account: Account, surroundings: Surroundings) -> POP3Mailbox:
    """Connect and log in; raises CannotRead."""
    check_login(account.login)
    machine = POP3Client(is_secure=account.security is Security.IMPLICIT)
    mailbox = POP3Mailbox(account, machine, await surroundings.connect(account, machine))
    try:
        await mailbox.begin(surroundings)
    except CannotRead:
        mailbox.abort()
        raise
    return mailbox


class POP3Mailbox:
    """A ``Mailbox`` with the INBOX alone."""

    def __init__(self, account: Account, machine: POP3Client, dialogue: Dialogue[Event]) -> None:
        self._account = account
        self._machine = machine
        self._dialogue = dialogue

    # ------------------------------------------------------------------ what can be asked

    async def list(self, folder: str) -> Listing:
        """Look at all messages, one after the other."""
        sizes = await self._sizes(folder)
        uids = {}
        if "UIDL" in self._machine.offers:
            uids = _lines(await self._body("UIDL", LIST_OCTETS))
        numbers = sorted(sizes)[-LISTED:]
        entries = [await self._entry(number, sizes[number], uids.get(number, b"")) for number in numbers]
        return Listing(entries, len(sizes))

    async def fetch(self, folder: str, number: int) -> bytes:
        """Return a message; raises CannotRead for a larger one than is fetched."""
        sizes = await self._sizes(folder)
        if number not in sizes:
            raise CannotRead(no_message(folder, number, len(sizes)))
        if sizes[number] > MESSAGE_OCTETS:
            raise CannotRead(too_large(number))
        return await self._body(f"RETR {number}", MESSAGE_OCTETS)

    def close(self) -> None:
        """Take leave."""
        if self._machine.state is State.READY:
            self._dialogue.close(self._machine.quit)
        else:
            self.abort()

    def abort(self) -> None:
        """End it at once."""
        self._dialogue.abort()

    # ------------------------------------------------------------------ the beginning

    async def begin(self, surroundings: Surroundings) -> None:
        """From the greeting to the login; raises CannotRead."""
        offers = await self._ready()
        if self._account.security is Security.STARTTLS:
            if "STLS" not in offers:
                raise self._dialogue.failure("it offers no TLS here, so no password was sent")
            self._machine.start_tls()
            if isinstance(event := await self._next(), Refused):
                raise self._dialogue.failure(f"it does not begin TLS: {event.text}")
            await self._dialogue.begin_tls(surroundings.tls.handshake(self._account.host))
            self._machine.tls_started()
            offers = await self._ready()
        await self._log_in(offers, surroundings)

    async def _ready(self) -> Offers:
        event = await self._next()
        if isinstance(event, Refused):
            raise self._dialogue.failure(f"it does not serve now: {event.text}")
        if not isinstance(event, Ready):
            raise self._dialogue.failure("it answered what was not asked")
        return event.offers

    async def _log_in(self, offers: Offers, surroundings: Surroundings) -> None:
        offered = Offered(offers.mechanisms, plainly=True)
        await log_in(self._account, self._machine, self._dialogue, offered, surroundings, self._login_step)

    async def _login_step(self) -> Challenge | Refusal | None:
        while True:
            match await self._next():
                case Challenged(data):
                    return Challenge(data)
                case Refused() as refused:
                    return Refusal(refused.text)
                case LoggedIn():
                    return None

    # ------------------------------------------------------------------ inside

    async def _sizes(self, folder: str) -> dict[int, int]:
        if folder.upper() != INBOX:
            raise CannotRead(f'POP3 shows only the folder {INBOX}, and not "{printable(folder)}".')
        lines = _lines(await self._body("LIST", LIST_OCTETS))
        return {number: int(size) for number, size in lines.items() if size.isdigit() and len(size) < 16}

    async def _entry(self, number: int, size_octets: int, uid: bytes) -> Entry:
        """Look at the top of a message; where there is no TOP, at the whole."""
        if "TOP" in self._machine.offers:
            beginning = await self._body(f"TOP {number} {BODY_LINES}", MESSAGE_OCTETS)
        elif size_octets <= MESSAGE_OCTETS:
            beginning = await self._body(f"RETR {number}", MESSAGE_OCTETS)
        else:
            beginning = b""
        looks = look_at(beginning)
        return Entry(
            number, uid.decode("ascii"), looks.sender, looks.subject, looks.sent, size_octets, looks.preview
        )

    async def _body(self, line: str, most_octets: int) -> bytes:
        self._machine.run(line, most_octets)
        event = await self._next()
        if isinstance(event, Refused):
            raise self._dialogue.failure(f"it refused {event.command}: {event.text}")
        if not isinstance(event, Answered):
            raise self._dialogue.failure("it answered what was not asked")
        self._dialogue.begin_step()
        return event.body or b""

    async def _next(self) -> Event:
        event = await self._dialogue.next_event()
        if isinstance(event, Broken):
            raise self._dialogue.failure(f"it {event.why}")
        return event


def _lines(body: bytes) -> dict[int, bytes]:
    return {int(found[1]): found[2] for found in _LINE.finditer(body)}
