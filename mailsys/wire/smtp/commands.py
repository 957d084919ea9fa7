"""The commands of SMTP and LMTP: one small class each, its parser, and the table of all.

A row of ``COMMANDS`` says in which states a command is legal and which state follows when it is
answered with 2xx or 3xx; ``server.py`` does nothing that does not stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.envelope import NO_WISH, Body, NoticeWish, Notify, Return
from mailsys.wire.smtp.grammar import (
    Malformed,
    decode_argument,
    parse_greeting_name,
    parse_mailbox,
    parse_size,
    split_path,
)
from mailsys.wire.smtp.later import parse_interval, parse_moment
from mailsys.wire.smtp.wishes import parse_envelope_id, parse_notify, parse_original, parse_return


class State(Enum):
    """Where a session stands."""

    START = "no HELO yet"
    READY = "greeted, no transaction"
    MAIL = "a sender, no recipient"
    RCPT = "a sender and a recipient at least"
    DATA = "inside DATA"
    CHUNKS = "between the chunks of BDAT"
    LOGIN = "inside an AUTH exchange"
    ENDED = "nothing more is read"


@dataclass(frozen=True, slots=True)
class Hello:
    """HELO, EHLO (RFC 5321 4.1.1.1) and LHLO (RFC 2033 4.1)."""

    verb: str
    name: str


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL (RFC 5321 4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152, 3030) and SMTPUTF8 (RFC 6531).

    ``notice_return`` and ``notice_id`` are RET and ENVID, decoded (RFC 3461 4.3, 4.4); ``hold_for`` and
    ``hold_until`` are HOLDFOR in seconds and HOLDUNTIL in seconds since 1970, not both (RFC 4865).
    """

    reverse_path: Address | None
    size: int | None = None
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    notice_return: Return | None = None
    notice_id: str = ""
    hold_for: int | None = None
    hold_until: float | None = None

    @property
    def later(self) -> str:
        """The parameter of RFC 4865 that was given; empty when there is none."""
        return "HOLDFOR" if self.hold_for is not None else "HOLDUNTIL" if self.hold_until is not None else ""

    @property
    def wished(self) -> str:
        """A parameter of RFC 3461 that was given; empty when there is none."""
        return "RET" if self.notice_return is not None else "ENVID" if self.notice_id else ""


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT (RFC 5321 4.1.1.3).  ``recipient`` is None for the bare ``<postmaster>`` of RFC 5321 4.5.1.

    ``wish`` is NOTIFY and ORCPT, decoded (RFC 3461 4.1, 4.2).
    """

    recipient: Address | None
    wish: NoticeWish = NO_WISH

    @property
    def wished(self) -> str:
        """A parameter of RFC 3461 that was given; empty when there is none."""
        return "NOTIFY" if self.wish.notify else "ORCPT" if self.wish.original else ""


@dataclass(frozen=True, slots=True)
class Data:
    """DATA (RFC 5321 4.1.1.4)."""


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT (RFC 3030): ``size`` octets follow at once."""

    size: int
    last: bool


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET (RFC 5321 4.1.1.5)."""


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY (RFC 5321 4.1.1.6)."""


@dataclass(frozen=True, slots=True)
class Expn:
    """EXPN (RFC 5321 4.1.1.7)."""


@dataclass(frozen=True, slots=True)
class Help:
    """HELP (RFC 5321 4.1.1.8)."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP (RFC 5321 4.1.1.9)."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT (RFC 5321 4.1.1.10)."""


@dataclass(frozen=True, slots=True)
class StartTLS:
    """STARTTLS (RFC 3207)."""


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (RFC 4954): ``initial`` is the base64 of the initial response, None without one."""

    mechanism: str
    initial: bytes | None


Command = Hello | Mail | Rcpt | Data | Bdat | Rset | Vrfy | Expn | Help | Noop | Quit | StartTLS | Auth


def parse_mail(argument: bytes) -> Mail:
    """``FROM:<reverse-path> [parameters]``."""
    path, parameters = split_path(argument, "FROM:", replies.BAD_SENDER)
    # RFC 4954 section 5: AUTH= tells who handed it to our peer; nobody here asks.
    asked = [(name, value) for name, value in parameters.items() if name != "AUTH" or value is None]
    values = dict(_mail_value(name, value) for name, value in asked)
    mail = Mail(parse_mailbox(path, replies.BAD_SENDER) if path else None, **values)
    if mail.reverse_path is not None and not mail.reverse_path.is_ascii and not mail.smtputf8:
        raise Malformed(replies.NEEDS_SMTPUTF8)
    if mail.hold_for is not None and mail.hold_until is not None:
        raise Malformed(replies.SYNTAX_ERROR.with_text("Give HOLDFOR or HOLDUNTIL, and not both"))
    return mail


def _mail_value(name: str, value: str | None) -> tuple[str, Any]:
    """The field of Mail that a parameter is for, and its value."""
    if name not in _MAIL_PARAMETERS:
        raise Malformed(replies.unknown_parameter(name))
    field, parse = _MAIL_PARAMETERS[name]
    return field, parse(value)


def _parse_smtputf8(value: str | None) -> bool:
    if value is not None:
        raise Malformed(replies.SYNTAX_ERROR.with_text("SMTPUTF8 takes no value"))
    return True


def _parse_body(value: str | None) -> Body:
    try:
        return Body((value or "").upper())
    except ValueError:
        raise Malformed(replies.SYNTAX_ERROR.with_text("BODY must be 7BIT, 8BITMIME or BINARYMIME")) from None


_MAIL_PARAMETERS: Mapping[str, tuple[str, Callable[[str | None], Any]]] = {
    "SIZE": ("size", parse_size),
    "BODY": ("body", _parse_body),
    "SMTPUTF8": ("smtputf8", _parse_smtputf8),
    "RET": ("notice_return", parse_return),
    "ENVID": ("notice_id", parse_envelope_id),
    "HOLDFOR": ("hold_for", parse_interval),
    "HOLDUNTIL": ("hold_until", parse_moment),
}


def parse_rcpt(argument: bytes) -> Rcpt:
    """``TO:<forward-path> [parameters]``."""
    path, parameters = split_path(argument, "TO:", replies.BAD_RECIPIENT)
    notify, original = frozenset[Notify](), ""
    for name, value in parameters.items():
        match name:
            case "NOTIFY":
                notify = parse_notify(value)
            case "ORCPT":
                original = parse_original(value)
            case _:
                raise Malformed(replies.unknown_parameter(name))
    recipient = None if path.lower() == "postmaster" else parse_mailbox(path, replies.BAD_RECIPIENT)
    return Rcpt(recipient, NoticeWish(notify, original) if parameters else NO_WISH)


def parse_bdat(argument: bytes) -> Bdat:
    """``chunk-size [LAST]``."""
    words = argument.split()
    if len(words) not in (1, 2) or not words[0].isdigit() or words[1:] not in ([], [b"LAST"], [b"last"]):
        raise Malformed(replies.SYNTAX_ERROR)
    return Bdat(parse_size(words[0].decode()), len(words) == 2)


def parse_auth(argument: bytes) -> Auth:
    """``mechanism [initial-response]``."""
    words = argument.split(b" ")
    if len(words) > 2 or not 1 <= len(words[0]) <= 20:
        raise Malformed(replies.SYNTAX_ERROR)
    mechanism = decode_argument(words[0], replies.SYNTAX_ERROR).upper()
    return Auth(mechanism, words[1] if len(words) == 2 else None)


def _hello(verb: str) -> Callable[[bytes], Hello]:
    return lambda argument: Hello(verb, parse_greeting_name(argument))


def _bare(command: Callable[[], Command]) -> Callable[[bytes], Command]:
    """A command without argument."""

    def parse(argument: bytes) -> Command:
        if argument:
            raise Malformed(replies.SYNTAX_ERROR.with_text("This command takes no argument"))
        return command()

    return parse


def _any(command: Callable[[], Command]) -> Callable[[bytes], Command]:
    """A command whose argument does not matter."""
    return lambda argument: command()


@dataclass(frozen=True, slots=True)
class Row:
    """What the machine must know of a command."""

    parse: Callable[[bytes], Command]
    legal: frozenset[State]
    then: State | None = None  # the state after a positive reply; None: no change
    waits: bool = False  # RFC 2920 3.1: must be the last of a group, the client has to wait for its reply


_GREETED = frozenset({State.READY, State.MAIL, State.RCPT, State.CHUNKS})
_ANY = _GREETED | {State.START}

COMMANDS: Mapping[bytes, Row] = {
    b"HELO": Row(_hello("HELO"), _ANY, State.READY, waits=True),
    b"EHLO": Row(_hello("EHLO"), _ANY, State.READY, waits=True),
    b"MAIL": Row(parse_mail, frozenset({State.READY}), State.MAIL),
    b"RCPT": Row(parse_rcpt, frozenset({State.MAIL, State.RCPT}), State.RCPT),
    b"DATA": Row(_bare(Data), frozenset({State.RCPT}), State.DATA, waits=True),
    b"BDAT": Row(parse_bdat, frozenset({State.RCPT, State.CHUNKS}), State.CHUNKS),
    b"RSET": Row(_bare(Rset), _ANY, None),
    b"NOOP": Row(_any(Noop), _ANY),
    b"QUIT": Row(_bare(Quit), _ANY, State.ENDED),
    b"VRFY": Row(_any(Vrfy), _GREETED),
    b"EXPN": Row(_any(Expn), _GREETED),
    b"HELP": Row(_any(Help), _ANY),
    b"STARTTLS": Row(_bare(StartTLS), frozenset({State.READY}), State.START, waits=True),
    b"AUTH": Row(parse_auth, frozenset({State.READY}), State.READY, waits=True),
}

# RFC 2033 4.1: LMTP greets with LHLO and must refuse HELO and EHLO.
LMTP_COMMANDS: Mapping[bytes, Row] = {
    **{verb: row for verb, row in COMMANDS.items() if verb not in (b"HELO", b"EHLO")},
    b"LHLO": Row(_hello("LHLO"), _ANY, State.READY, waits=True),
}

# With these a client would say who it is.  Only a proxy may, and with a header of its own.
FORBIDDEN = frozenset({b"XCLIENT", b"XFORWARD"})
