"""Hands messages in by SMTP or LMTP.  All that is sent is made before the clock runs."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable, Iterator

from bench.conversation import Conversation, Request, expect
from bench.plan import SmtpPlan
from bench.stopwatch import Stopwatch
from bench.strangers import Signer

MESSAGE = "message"
SENDER = b"bench@client.test"
_LINE = b"The quick brown fox jumps over the lazy dog, and so the disk is filled.\r\n"


class SmtpLoad:
    """The messages of a plan; every accepted one is noted as the step ``message``."""

    def __init__(self, plan: SmtpPlan, stopwatch: Stopwatch) -> None:
        self._plan = plan
        self._stopwatch = stopwatch
        self._greeting = Request(b"", is_whole)
        self._hello = _request(b"LHLO client.test" if plan.is_lmtp else b"EHLO client.test")
        self._mail = _request(b"MAIL FROM:<%b>" % SENDER)
        self._rcpts = [_request(b"RCPT TO:<%b>" % name.encode()) for name in plan.recipients]
        self._data = _request(b"DATA")
        self._quit = _request(b"QUIT")
        self._id = secrets.token_hex(8).encode()
        self._rest = _rest_of_message(plan.size_octets - len(self._message_id(0)))
        self._signed = self._sign_all(plan)

    def conversations(self) -> Iterator[Conversation]:
        """As many as it takes; whoever carries them out has ``sessions`` going at a time."""
        numbers = iter(range(self._plan.messages))
        if self._plan.keep:
            for _ in range(self._plan.sessions):
                yield self._converse(numbers)
        else:
            for number in numbers:
                yield self._converse([number])

    def _converse(self, numbers: Iterable[int]) -> Conversation:
        """One connection.  The time of its first message begins with connecting."""
        began = self._stopwatch.now()
        expect(b"220", (yield self._greeting))
        expect(b"250", (yield self._hello))
        for number in numbers:
            yield from self._hand_in(number)
            self._stopwatch.note(MESSAGE, began)
            began = self._stopwatch.now()
        expect(b"221", (yield self._quit))

    def _hand_in(self, number: int) -> Conversation:
        expect(b"250", (yield self._mail))
        expect(b"250", (yield self._rcpts[number % len(self._rcpts)]))
        expect(b"354", (yield self._data))
        expect(b"250", (yield Request(self._message(number) + b".\r\n", is_whole)))

    def _message(self, number: int) -> bytes:
        return self._signed[number] if self._signed else self._message_id(number) + self._rest

    def _sign_all(self, plan: SmtpPlan) -> list[bytes]:
        """Each has a Message-ID of its own, and so a signature of its own."""
        if not plan.key:
            return []
        signer = Signer(plan.key, time.time())
        return [signer.signed(self._message_id(number) + self._rest) for number in range(plan.messages)]

    def _message_id(self, number: int) -> bytes:
        return b"Message-ID: <%b.%08d@client.test>\r\n" % (self._id, number)


def is_whole(reply: bytearray) -> bool:
    """Is the last line there?  In it no hyphen follows the code (RFC 5321 4.2.1)."""
    if not reply.endswith(b"\n"):
        return False
    last = reply.rfind(b"\n", 0, -1) + 1
    return reply[last + 3 : last + 4] != b"-"


def _request(line: bytes) -> Request:
    return Request(line + b"\r\n", is_whole)


def _rest_of_message(octets: int) -> bytes:
    """The other header lines and a body, so many octets in all if that is possible."""
    head = b"From: <%b>\r\nTo: everybody:;\r\nSubject: a measurement\r\n" % SENDER
    head += b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\n"
    lines = itertools.repeat(_LINE, max(0, octets - len(head)) // len(_LINE))
    last = octets - len(head) - len(_LINE) * (max(0, octets - len(head)) // len(_LINE))
    return head + b"".join(lines) + (b"x" * (last - 2) + b"\r\n" if last >= 2 else b"")
