"""The people of the day: they hand mail in, fetch it, guess passwords, look in, and hang up."""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bench.life.ledger import Ledger

SECONDS = 30.0
HANGS_UP = 0.01  # of all messages, in their middle; and of all who fetch, before QUIT
LINE_OCTETS = 1024 * 1024
_NUMBER = re.compile(rb"^X-Number: ([0-9]+)\r\n", re.MULTILINE)


class NotNow(Exception):  # noqa: N818 - the server said that, or hung up
    """The visitor gives up; another one tries again."""


class Line:
    """One connection, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def hear(self, wanted: bytes) -> bytes:
        """The last line of a reply, which begins as wanted; raises NotNow."""
        while True:
            line = await asyncio.wait_for(self._reader.readline(), SECONDS)
            if line[3:4] != b"-" or not line[:3].isdigit():
                break
        if not line.startswith(wanted):
            raise NotNow(line[:100].decode(errors="replace"))
        return line

    async def ask(self, words: bytes, wanted: bytes) -> bytes:
        """Say a line, or several, and hear."""
        self._writer.write(words + b"\r\n")
        return await self.hear(wanted)

    async def text(self) -> bytes:
        """Lines up to the dot that ends them."""
        lines = []
        while (line := await asyncio.wait_for(self._reader.readline(), SECONDS)) != b".\r\n":
            if not line:
                raise NotNow("the end in the middle")
            lines.append(line)
        return b"".join(lines)

    def hang_up(self) -> None:
        """At once, without a word."""
        self._writer.transport.abort()


@asynccontextmanager
async def calling(address: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    """A connection; what goes wrong on it is raised as NotNow."""
    try:
        opening = asyncio.open_connection(address, port, ssl=tls, limit=LINE_OCTETS)
        reader, writer = await asyncio.wait_for(opening, SECONDS)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise NotNow(str(error)) from None


class Sender:
    """Hands in one message after another, to people by turns, as long as ``wanted`` says there are more."""

    def __init__(self, ledger: Ledger, dice: random.Random, recipients: list[str], body: bytes) -> None:
        self._ledger = ledger
        self._dice = dice
        self._recipients = recipients
        self._body = body

    async def visit(self, line: Line, wanted: Callable[[], bool]) -> None:
        """One connection."""
        await line.hear(b"220")
        await line.ask(b"EHLO visitor.example", b"250")
        while wanted():
            await self._hand_in(line)
        await line.ask(b"QUIT", b"221")

    async def _hand_in(self, line: Line) -> None:
        number = self._ledger.next_number()
        recipient = self._dice.choice(self._recipients).encode()
        await line.ask(b"MAIL FROM:<visitor@example.org>", b"250")
        await line.ask(b"RCPT TO:<" + recipient + b">", b"250")
        await line.ask(b"DATA", b"354")
        head = b"From: <visitor@example.org>\r\nX-Number: %d\r\nSubject: life\r\n\r\n" % number
        if self._dice.random() < HANGS_UP:
            self._ledger.broken += 1
            line._writer.write(head + self._body[: len(self._body) // 2])
            line.hang_up()
            raise NotNow("hung up")
        await line.ask(head + self._body + b".", b"250")
        self._ledger.promise(number)


class Owner:
    """Fetches all mail of an account, and deletes it."""

    def __init__(self, ledger: Ledger, dice: random.Random, name: str, password: str) -> None:
        self._ledger = ledger
        self._dice = dice
        self._name = name
        self._password = password

    async def visit(self, line: Line) -> int:
        """One connection; returns how many messages there were."""
        await line.hear(b"+OK")
        await line.ask(b"USER " + self._name.encode(), b"+OK")
        await line.ask(b"PASS " + self._password.encode(), b"+OK")
        self._ledger.logins += 1
        await line.ask(b"UIDL", b"+OK")
        unique = [entry.split()[1].decode() for entry in (await line.text()).splitlines()]
        for number, unique_id in enumerate(unique, 1):
            await self._fetch(line, number, unique_id)
        if self._dice.random() < HANGS_UP:
            self._ledger.broken += 1
            line.hang_up()
            raise NotNow("hung up")
        await line.ask(b"QUIT", b"+OK")
        return len(unique)

    async def _fetch(self, line: Line, number: int, unique_id: str) -> None:
        await line.ask(b"RETR %d" % number, b"+OK")
        if found := _NUMBER.search(await line.text()):
            self._ledger.find(int(found[1]), f"{self._name} {unique_id}")
        await line.ask(b"DELE %d" % number, b"+OK")


async def guess(line: Line, name: str) -> None:
    """Try a password that is none."""
    await line.hear(b"+OK")
    await line.ask(b"USER " + name.encode(), b"+OK")
    await line.ask(b"PASS none of mine", b"-ERR")


async def look_in(line: Line) -> None:
    """Hear the greeting, say nonsense, and leave without a word."""
    await line.hear(b"220")
    await line.ask(b"NONSENSE", b"5")
    line.hang_up()
