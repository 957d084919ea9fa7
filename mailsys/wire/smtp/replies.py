"""Reads a server's replies: strictly and within bounds (RFC 5321 4.2, RFC 2034 4).

A server can be as hostile as a client.  What is no reply is a *fault*, after which nothing of the
connection can be trusted: whoever reads must end it.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from mailsys.message.reply import Reply
from mailsys.wire.lines import LineBuffer, LineFault

LINE_OCTETS = 2048  # RFC 5321 4.5.3.1.5 asks for 512; some servers explain at length
REPLY_LINES = 256
REPLY_OCTETS = 64 * 1024

# Reply-code = %x32-35 %x30-35 %x30-39; Reply-line = *( Reply-code "-" [ textstring ] CRLF )
#   Reply-code [ SP textstring ] CRLF
_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\0]*))?", re.DOTALL)
# RFC 2034 4: status-code = class "." subject "." detail
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")
_NOT_TEXT = re.compile(r"[^\t -~\u00a0-\U0010ffff]")


class ReplyFault(Enum):
    """Why something is no reply; the value says so for people."""

    TOO_LONG = "sent a line that is too long"
    BARE = "sent a line with a CR or LF that stands alone"
    NO_REPLY = "sent a line that is no reply"
    CODES_DIFFER = "sent a reply whose lines have different codes"
    TOO_MANY_LINES = "sent a reply that does not end"


class ReplyReader:
    """Bytes of the server that were not used yet, and the lines of a reply that is not whole yet."""

    def __init__(self) -> None:
        self._buffer = LineBuffer(LINE_OCTETS)
        self._code = b""
        self._lines: list[str] = []
        self._octets = 0

    def __len__(self) -> int:
        """Octets that belong to no whole reply so far."""
        return len(self._buffer) + self._octets

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._buffer.feed(data)

    def clear(self) -> None:
        """Drop everything (STARTTLS)."""
        self._buffer.clear()
        self._code, self._lines, self._octets = b"", [], 0

    def next_reply(self) -> Reply | ReplyFault | None:
        """Return the next whole reply, a fault, or None when more is needed."""
        while True:
            line = self._buffer.next_line()
            if self._buffer.skipped or line is LineFault.TOO_LONG:
                return ReplyFault.TOO_LONG
            if line is None:
                return None
            if isinstance(line, LineFault):
                return ReplyFault.BARE
            if not self._lines and (reply := _whole_reply(line)) is not None:
                return reply
            if (done := self._take(line)) is not None:
                return done

    def _take(self, line: bytes) -> Reply | ReplyFault | None:
        match = _LINE.fullmatch(line)
        if match is None:
            return ReplyFault.NO_REPLY
        if self._lines and match[1] != self._code:
            return ReplyFault.CODES_DIFFER
        self._code = match[1]
        self._lines.append(_text(match[3]))
        self._octets += len(line) + 2
        if match[2] != b"-":
            return self._finish()
        if len(self._lines) >= REPLY_LINES or self._octets >= REPLY_OCTETS:
            return ReplyFault.TOO_MANY_LINES
        return None

    def _finish(self) -> Reply:
        lines, self._lines, self._octets = self._lines, [], 0
        return _reply_of(int(self._code), lines)


@lru_cache(maxsize=256)  # a server says the same of every message
def _whole_reply(line: bytes) -> Reply | None:
    """The reply that is this one line; None when it is none, or goes on."""
    match = _LINE.fullmatch(line)
    return None if match is None or match[2] == b"-" else _reply_of(int(match[1]), [_text(match[3])])


def _text(octets: bytes | None) -> str:
    return _NOT_TEXT.sub("?", (octets or b"").decode(errors="replace"))


def _reply_of(code: int, lines: list[str]) -> Reply:
    match = _ENHANCED.match(lines[0])
    if match is None or match[1][0] != str(code)[0]:
        return Reply(code, "", "\n".join(lines))
    enhanced = match[1]
    return Reply(code, enhanced, "\n".join([line.removeprefix(enhanced).lstrip(" ") for line in lines]))
