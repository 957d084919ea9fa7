"""Status responses as values, named once (RFC 9051 7.1, RFC 5530)."""

from __future__ import annotations

from dataclasses import dataclass

CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Response:
    """``kind`` is OK, NO, BAD or BYE; ``code`` is a response code with its arguments, or empty."""

    kind: str
    text: str
    code: str = ""

    def tagged(self, tag: str) -> bytes:
        """The line that ends a command."""
        return f"{tag} {self}\r\n".encode()

    def untagged(self) -> bytes:
        """The line that ends none."""
        return f"* {self}\r\n".encode()

    def __str__(self) -> str:
        code = f"[{self.code}]" if self.code else ""
        return " ".join(part for part in (self.kind, code, self.text) if part)


def ok(text: str, code: str = "") -> Response:
    """A positive response that is said in one place only."""
    return Response("OK", text, code)


def no(text: str, code: str = "") -> Response:
    """A negative response that is said in one place only."""
    return Response("NO", text, code)


def bad(text: str, code: str = "") -> Response:
    """The client has made a mistake."""
    return Response("BAD", text, code)


def bye(text: str, code: str = "") -> Response:
    """The connection will be closed."""
    return Response("BYE", text, code)


# Success.
DONE = ok("Done")
LOGGED_OUT = ok("Logged out")
GOODBYE = bye("Goodbye")
READY_FOR_TLS = ok("Begin TLS")
READY_FOR_DEFLATE = ok("Compression begins")
NOW_READ_ONLY = ok("Read-only", "READ-ONLY")
SOME_HAVE_GONE = ok("Some of the messages have been removed meanwhile", "EXPUNGEISSUED")

# The command is wrong.
NO_TAG = bad("A command begins with a tag")
NO_COMMAND = bad("There is no command behind the tag")
UNKNOWN_COMMAND = bad("Command not recognised")
BARE_LINE_END = bad("A line must end with CR LF, and CR or LF must not stand alone")
TOO_BIG = bad("The command is too long", "TOOBIG")
TOO_BIG_BEFORE_LOGIN = bye("The command is too long", "TOOBIG")
LITERAL_TOO_BIG = bad("The literal is too large", "TOOBIG")
TOO_MANY_LITERALS = bad("There are too many literals in the command", "TOOBIG")
TOO_BIG_TO_SKIP = bye("That is more than anybody reads here", "TOOBIG")
LOG_IN_FIRST = bad("Log in first")
SELECT_FIRST = bad("Select a folder first")
ALREADY_LOGGED_IN = bad("Already logged in")
NOT_ENDED_WITH_DONE = bad("IDLE ends with DONE")
BAD_NUMBERS = bad("There is no message with that number")
TOO_MANY_ERRORS = bye("Too many errors; goodbye")
OTHER_PROTOCOL = bye("This is a mail server; goodbye")
BEFORE_TLS = bye("You sent more than STARTTLS before its response; goodbye")
BEFORE_DEFLATE = bye("You sent more than COMPRESS before its response; goodbye")
MESSAGE_TOO_BIG = no("The message is too large", "TOOBIG")
TOO_MANY_MESSAGES = no("There are too many messages in one command", "LIMIT")

# Login (RFC 5530 3).
BAD_CREDENTIALS = no("Name or password is wrong", "AUTHENTICATIONFAILED")
NEEDS_TLS = no("Log in only after STARTTLS", "PRIVACYREQUIRED")
NO_TLS_HERE = bad("TLS is not possible here, or is on already")
UNKNOWN_MECHANISM = no("Login mechanism not offered", "CANNOT")
LOGIN_CANCELLED = bad("Login cancelled")
BAD_SASL = bad("That is no valid response of this login mechanism")
LOGIN_UNAVAILABLE = no("Login is not possible for the moment", "UNAVAILABLE")
LOGIN_BLOCKED = no("Too many wrong passwords; try again later", "UNAVAILABLE")
NO_LONGER_LOGGED_IN = bye("Your login is not good any more; log in again", "EXPIRED")

# Folders and messages.
BAD_NAME = no("That cannot be the name of a folder", "CANNOT")
NO_SUCH_FOLDER = no("There is no such folder", "NONEXISTENT")
FOLDER_HAS_GONE = bye("The folder was deleted or renamed", "CLOSED")
READ_ONLY = no("The folder is open for reading only", "READ-ONLY")

# It is us.
BUSY = bye("Too many connections; try again later", "UNAVAILABLE")
ENOUGH_CONNECTIONS = bye("Too many connections from your address; try again later", "UNAVAILABLE")
SHUTTING_DOWN = bye("This host is shutting down", "UNAVAILABLE")
LOCAL_ERROR = bye("Something went wrong here; try again later", "SERVERBUG")
COMMAND_BROKE = no("Something went wrong here; try again later", "SERVERBUG")
UNAVAILABLE = no("The mailbox cannot be read or written for the moment", "UNAVAILABLE")
AUTOLOGOUT = bye("Silent for too long")
