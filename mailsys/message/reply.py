"""Replies as values: code, enhanced code and text, named once (RFC 5321 4.2, RFC 3463, RFC 5248)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LINE_OCTETS = 512  # RFC 5321 4.5.3.1.5: a reply line, with code and CRLF.
_NOT_TEXT = re.compile(r"[^\t -~\u00a0-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Reply:
    """What an SMTP or LMTP peer is told.

    ``enhanced`` is empty where RFC 2034 wants none: greeting, EHLO, 354.  ``text`` may hold
    several lines, parted by LF.
    """

    code: int
    enhanced: str
    text: str

    @property
    def is_positive(self) -> bool:
        """2xx or 3xx."""
        return self.code < 400

    @property
    def is_transient(self) -> bool:
        """4xx: the peer may try again."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5xx: the peer should not try this again."""
        return self.code >= 500

    def render(self) -> bytes:
        """Return the lines for the wire, with CRLF."""
        return _render(self.code, self.enhanced, self.text)

    def with_text(self, text: str) -> Reply:
        """Return the same codes with other words."""
        return Reply(self.code, self.enhanced, text)

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


@lru_cache(maxsize=512)
def _render(code: int, enhanced: str, text: str) -> bytes:
    lines = text.split("\n")
    rendered = []
    for number, line in enumerate(lines, 1):
        mark = "-" if number < len(lines) else " "
        words = f"{enhanced} {line}" if enhanced else line
        head = f"{code}{mark}".encode()
        body = _NOT_TEXT.sub("?", words).encode()[: LINE_OCTETS - len(head) - 2]
        rendered.append(head + body.decode(errors="ignore").encode() + b"\r\n")
    return b"".join(rendered)


# Success.
OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
CHUNK_OK = Reply(250, "2.0.0", "Chunk received")
START_DATA = Reply(354, "", "Go ahead, end with a dot on a line of its own")
GOODBYE = Reply(221, "2.0.0", "Goodbye")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready for TLS")
LOGGED_IN = Reply(235, "2.7.0", "You are logged in")
HELP = Reply(214, "2.0.0", "This is mailsys; see RFC 5321")
CANNOT_VERIFY = Reply(252, "2.5.0", "Not saying; send a message to find out")

# The peer's command is wrong.
UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised")
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
BARE_LINE_END = Reply(500, "5.5.2", "A line must end with CR LF, and CR or LF must not stand alone")
SYNTAX_ERROR = Reply(501, "5.5.4", "Syntax error in parameters")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
NO_XCLIENT = Reply(550, "5.7.1", "You may not say that you are somebody else")
BAD_SEQUENCE = Reply(503, "5.5.1", "Commands out of order")
UNAUTHORISED_PIPELINING = Reply(554, "5.5.0", "You sent more than this command before its reply")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised or not implemented")


def unknown_parameter(name: str) -> Reply:
    """What is said to a parameter that is not known, or not offered to this client."""
    return UNKNOWN_PARAMETER.with_text(f"Parameter {name} not recognised")


BAD_SENDER = Reply(501, "5.1.7", "Sender address is not valid")
BAD_RECIPIENT = Reply(501, "5.1.3", "Recipient address is not valid")
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "This address needs SMTPUTF8 in MAIL")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients; send the rest in another transaction")
SENT_TOO_MUCH = Reply(452, "4.7.1", "You have sent all that you may in a day; ask who runs this host")
TOO_MANY_UNKNOWN_HERE = Reply(
    452, "4.7.1", "Too many of your recipients do not exist; send the rest in another transaction"
)
TOO_MANY_UNKNOWN = Reply(421, "4.7.1", "Too many of your recipients do not exist; try again later")
TOO_MANY_MESSAGES = Reply(450, "4.7.1", "Too many messages from your address; try again in a minute")
NO_VALID_RECIPIENTS = Reply(503, "5.5.1", "No valid recipients")

OTHER_PROTOCOL = Reply(421, "4.7.0", "This is a mail server; goodbye")
CHUNK_TOO_BIG = Reply(552, "5.3.4", "Chunk is larger than any message may be")
TOO_MANY_CHUNKS = Reply(552, "5.3.4", "Message comes in too many chunks")

# The message or its recipient is refused.
TOO_BIG = Reply(552, "5.3.4", "Message is larger than this host accepts")
BARE_IN_MESSAGE = Reply(550, "5.6.0", "Message has a CR or LF that stands alone, or a NUL")
DATA_LINE_TOO_LONG = Reply(554, "5.6.0", "Message has a line that is too long")
NO_SUCH_USER = Reply(550, "5.1.1", "No such user here")
NO_SUCH_DOMAIN_HERE = Reply(550, "5.7.1", "This host does not relay for you")
NOT_OUR_RETURN_ADDRESS = Reply(550, "5.7.1", "This host has not made this return address for anybody")
RETURN_ADDRESS_WITH_SENDER = Reply(
    550, "5.7.1", "A return address takes notices only, and they have the empty sender MAIL FROM:<>"
)
NOT_FORWARDED = Reply(
    550,
    "5.7.1",
    "Taken for junk or a forgery, this message is not forwarded to other hosts as an alias wants",
)
RETURN_ADDRESS_EXPIRED = Reply(
    550, "5.1.6", "This return address has expired; the mail it was for is too old"
)
MAILBOX_FULL = Reply(452, "4.2.2", "Mailbox is full")
MESSAGE_OVER_QUOTA = Reply(552, "5.2.2", "Message does not fit into the mailbox")
ALIAS_LOOP = Reply(550, "5.4.6", "Alias points back to itself")
ALIAS_TOO_DEEP = Reply(550, "5.2.4", "Alias leads over too many other aliases")
ALIAS_TOO_WIDE = Reply(550, "5.2.4", "Alias leads to too many addresses")

# Login.
BAD_CREDENTIALS = Reply(535, "5.7.8", "Name or password is wrong")
LOGIN_NEEDED = Reply(530, "5.7.0", "Log in first")
LOGIN_NEEDS_TLS = Reply(538, "5.7.11", "Log in only after STARTTLS")
NO_LOGIN_HERE = Reply(502, "5.7.0", "There is no login at this port; mail programs send at 587 or 465")
ALREADY_LOGGED_IN = Reply(503, "5.5.1", "Already logged in")
UNKNOWN_MECHANISM = Reply(504, "5.5.4", "Login mechanism not offered")
LOGIN_CANCELLED = Reply(501, "5.7.0", "Login cancelled")
BAD_BASE64 = Reply(501, "5.5.2", "That is not base64")
LOGIN_UNAVAILABLE = Reply(454, "4.7.0", "Login is not possible for the moment")
LOGIN_BLOCKED = Reply(454, "4.7.0", "Too many wrong passwords; try again later")
NO_LONGER_LOGGED_IN = Reply(421, "4.7.0", "Your login is not good any more; log in again")

# It is us.
LOCAL_ERROR = Reply(451, "4.3.0", "Something went wrong here; try again later")
NO_STORAGE = Reply(452, "4.3.1", "The message could not be stored; try again later")
DISK_FULL = Reply(452, "4.3.1", "This host is short of room; try again later")
TIMEOUT = Reply(421, "4.4.2", "You were silent for too long")
SHUTTING_DOWN = Reply(421, "4.3.2", "This host is shutting down")
BUSY = Reply(421, "4.3.2", "Too many connections; try again later")
ENOUGH_CONNECTIONS = Reply(421, "4.7.0", "Too many connections from your address; try again later")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors")
