"""POP3 responses as values, named once (RFC 1939 3, RFC 2449 8, RFC 3206)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

END = b".\r\n"  # of a multi-line response


@dataclass(frozen=True, slots=True)
class Response:
    """One line for the client; ``code`` is a response code such as ``IN-USE``, or empty."""

    is_positive: bool
    text: str
    code: str = ""

    def render(self) -> bytes:
        """Return the line for the wire, with CRLF."""
        return _render(self)

    def __str__(self) -> str:
        mark = "+OK" if self.is_positive else "-ERR"
        code = f"[{self.code}]" if self.code else ""
        return " ".join(part for part in (mark, code, self.text) if part)


@lru_cache(maxsize=256)
def _render(response: Response) -> bytes:
    return f"{response}\r\n".encode()


def ok(text: str) -> Response:
    """A positive response that is said in one place only."""
    return Response(True, text)


def greeting(hostname: str) -> bytes:
    """The first line.  It holds no ``<…>``, which would announce APOP (RFC 1939 7)."""
    return ok(f"{hostname} is ready").render()


def stat(count: int, octets: int) -> bytes:
    """The drop listing."""
    return b"+OK %d %d\r\n" % (count, octets)


def scan_line(number: int, octets: int) -> bytes:
    """The scan listing of one message."""
    return b"+OK %d %d\r\n" % (number, octets)


def unique_id_line(number: int, unique_id: bytes) -> bytes:
    """The unique-id listing of one message."""
    return b"+OK %d %b\r\n" % (number, unique_id)


def octets_follow(octets: int) -> bytes:
    """The line in front of a whole message."""
    return b"+OK %d octets\r\n" % octets


def listing(text: str, lines: Iterable[str]) -> bytes:
    """A short multi-line response whose lines do not begin with a dot."""
    body = "".join(f"{line}\r\n" for line in lines)
    return ok(text).render() + body.encode() + END


# Success.
NAME_TAKEN = ok("Now the password")
LOGGED_IN = ok("Logged in")
READY_FOR_TLS = ok("Begin TLS")
UTF8_ON = ok("UTF-8 it is")
NOTHING_DONE = ok("Done nothing")
LIST_FOLLOWS = ok("List follows")
TOP_FOLLOWS = ok("Top of the message follows")
MARKED_DELETED = ok("Marked as deleted")
MARKS_REMOVED = ok("No message is marked as deleted")
GOODBYE = ok("Goodbye")

# The command is wrong.
UNKNOWN_COMMAND = Response(False, "Command not recognised")
LINE_TOO_LONG = Response(False, "Line too long")
BARE_LINE_END = Response(False, "A line must end with CR LF, and CR or LF must not stand alone")
SYNTAX_ERROR = Response(False, "Syntax error in arguments")
BAD_NUMBER = Response(False, "That is not a message number")
LOG_IN_FIRST = Response(False, "Log in first")
ALREADY_LOGGED_IN = Response(False, "Already logged in")
NAME_FIRST = Response(False, "Give a name with USER first")
NO_SUCH_MESSAGE = Response(False, "No such message")
MESSAGE_GONE = Response(False, "That message has been removed meanwhile")
TOO_MANY_ERRORS = Response(False, "Too many errors; goodbye")
OTHER_PROTOCOL = Response(False, "This is a mail server; goodbye")
BEFORE_TLS = Response(False, "You sent more than STLS before its response; goodbye")

# Login.  The code AUTH means wrong credentials and nothing else (RFC 3206 4): a client asks its user anew.
BAD_CREDENTIALS = Response(False, "Name or password is wrong", "AUTH")
NEEDS_TLS = Response(False, "Log in only after STLS")
NO_TLS_HERE = Response(False, "TLS is not possible here, or is on already")
UNKNOWN_MECHANISM = Response(False, "Login mechanism not offered")
LOGIN_CANCELLED = Response(False, "Login cancelled")
BAD_SASL = Response(False, "That is no valid response of this login mechanism")
LOGIN_UNAVAILABLE = Response(False, "Login is not possible for the moment", "SYS/TEMP")
LOGIN_BLOCKED = Response(False, "Too many wrong passwords; try again later", "SYS/TEMP")
NO_LONGER_LOGGED_IN = Response(False, "Your login is not good any more; log in again", "AUTH")
IN_USE = Response(False, "Another session has this mailbox open", "IN-USE")

# It is us.
BUSY = Response(False, "Too many connections; try again later", "SYS/TEMP")
ENOUGH_CONNECTIONS = Response(False, "Too many connections from your address; try again later", "SYS/TEMP")
SHUTTING_DOWN = Response(False, "This host is shutting down", "SYS/TEMP")
LOCAL_ERROR = Response(False, "Something went wrong here; try again later", "SYS/TEMP")
MAILBOX_UNREADABLE = Response(False, "The mailbox cannot be opened for the moment", "SYS/TEMP")
MESSAGE_UNREADABLE = Response(False, "That message cannot be read for the moment", "SYS/TEMP")
SOME_NOT_REMOVED = Response(False, "some deleted messages not removed", "SYS/TEMP")
