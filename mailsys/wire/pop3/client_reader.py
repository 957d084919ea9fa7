"""Cuts what a POP3 server sends: a status line, and the body of a multi-line response (RFC 1939 3).

A server is a stranger, too: lines and bodies have bounds.  Line ends within a body stay as they are, as
many servers hand out what lies on their disk; only CRLF, a dot and CRLF end it.
"""

from __future__ import annotations

LINE_OCTETS = 8 * 1024  # of a status line or a challenge; RFC 1939 3 allows 512, RFC 5034 4 more
_END = b"\r\n.\r\n"


class BadResponse(Exception):  # noqa: N818 - strangers' responses are like that
    """This is no POP3; the text goes on from the server's name."""


class ResponseReader:
    """Octets of the server that were not used yet."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0  # so far there is no end of a body

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def clear(self) -> None:
        """Drop everything (STLS)."""
        self._data.clear()
        self._searched = 0

    def next_line(self) -> bytes | None:
        """Return the next line without its end, None when more is needed; raises BadResponse."""
        end = self._data.find(b"\r\n", 0, LINE_OCTETS)
        if end < 0:
            if len(self._data) >= LINE_OCTETS:
                raise BadResponse(f"sent a line of more than {LINE_OCTETS:,} octets")
            return None
        line = bytes(self._data[:end])
        del self._data[: end + 2]
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise BadResponse("sent a line with a CR, an LF or a NUL within")
        return line

    def next_body(self, most_octets: int) -> bytes | None:
        """Return a body without dots and end mark, None when more is needed; raises BadResponse."""
        if self._data.startswith(b".\r\n"):
            del self._data[:3]
            return b""
        end = self._data.find(_END, self._searched)
        if (len(self._data) if end < 0 else end) > most_octets:
            raise BadResponse(f"sent more than {most_octets:,} octets")
        if end < 0:
            self._searched = max(0, len(self._data) - len(_END) + 1)
            return None
        body = bytes(self._data[: end + 2])
        del self._data[: end + len(_END)]
        self._searched = 0
        body = body.replace(b"\r\n.", b"\r\n")
        return body[1:] if body.startswith(b".") else body
