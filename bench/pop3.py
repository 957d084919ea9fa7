"""Reads a mailbox by POP3, and changes nothing in it."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from bench.conversation import Conversation, Refused, Request, expect
from bench.plan import Pop3Plan
from bench.stopwatch import Stopwatch

VISIT, LOGIN, RETR = "visit", "login", "RETR"
_END = b"\r\n.\r\n"


class Pop3Load:
    """The visits of a plan, each noted as ``visit`` from connecting to QUIT, and its commands by name."""

    def __init__(self, plan: Pop3Plan, stopwatch: Stopwatch) -> None:
        self._plan = plan
        self._stopwatch = stopwatch

    def conversations(self) -> Iterator[Conversation]:
        """The visits, meant to be made one after another."""
        for _ in range(self._plan.visits):
            yield self._visit()

    def _visit(self) -> Conversation:
        began = self._stopwatch.now()
        expect(b"+OK", (yield Request(b"", is_line)))
        yield from self._log_in()
        count = yield from self._stat()
        if self._plan.retrievals:
            yield from self._retrieve(count)
        else:
            yield from self._list(b"UIDL", count)
            yield from self._list(b"LIST", count)
        expect(b"+OK", (yield Request(b"QUIT\r\n", is_line)))
        self._stopwatch.note(VISIT, began)

    def _log_in(self) -> Conversation:
        began = self._stopwatch.now()
        expect(b"+OK", (yield Request(b"USER %b\r\n" % self._plan.user.encode(), is_line)))
        expect(b"+OK", (yield Request(b"PASS %b\r\n" % self._plan.password.encode(), is_line)))
        self._stopwatch.note(LOGIN, began)

    def _stat(self) -> Generator[Request, bytes, int]:
        began = self._stopwatch.now()
        reply = expect(b"+OK ", (yield Request(b"STAT\r\n", is_line)))
        self._stopwatch.note("STAT", began)
        return int(reply.split()[1])

    def _list(self, command: bytes, count: int) -> Conversation:
        """Demands a line for each message."""
        began = self._stopwatch.now()
        reply = expect(b"+OK", (yield Request(command + b"\r\n", is_listing)))
        self._stopwatch.note(command.decode(), began)
        if (lines := reply.count(b"\n") - 2) != count:
            raise Refused(f"{command.decode()} gave {lines} lines for {count} messages")

    def _retrieve(self, count: int) -> Conversation:
        """One after another from the first, each asked for when the one before is there."""
        for number in range(1, min(count, self._plan.retrievals) + 1):
            began = self._stopwatch.now()
            expect(b"+OK", (yield Request(b"RETR %d\r\n" % number, is_listing)))
            self._stopwatch.note(RETR, began)


def is_line(reply: bytearray) -> bool:
    """Is the one line there?"""
    return reply.endswith(b"\n")


def is_listing(reply: bytearray) -> bool:
    """Is the line with the dot there?  After -ERR there is none (RFC 1939 3)."""
    return reply.endswith(_END) or (reply.startswith(b"-") and reply.endswith(b"\n"))
