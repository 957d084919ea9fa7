"""The parameters with which a sender says what it wants to hear of a message (RFC 3461 4).

Each function takes a value as it stood in the line, None without one, or raises :class:`Malformed`.
"""

from __future__ import annotations

import re

from mailsys.message import reply as replies
from mailsys.message.envelope import Notify, Return
from mailsys.message.xtext import decode_utf8_address, decode_xtext
from mailsys.wire.smtp.grammar import Malformed

ENVELOPE_ID_CHARACTERS = 100  # RFC 3461 4.4, as written in the line; so in 4.2
ORIGINAL_CHARACTERS = 500
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


def parse_return(value: str | None) -> Return:
    """``RET=FULL`` or ``RET=HDRS``."""
    try:
        return Return((value or "").upper())
    except ValueError:
        raise _malformed("RET must be FULL or HDRS") from None


def parse_envelope_id(value: str | None) -> str:
    """``ENVID=xtext``, decoded: printable ASCII."""
    if value is None or len(value) > ENVELOPE_ID_CHARACTERS:
        raise _malformed(f"ENVID must have 1 to {ENVELOPE_ID_CHARACTERS} characters")
    try:
        decoded = decode_xtext(value)
    except ValueError:
        raise _malformed("ENVID must be xtext: write odd characters as + and two hex digits") from None
    if not decoded.isprintable():
        raise _malformed("ENVID must stand for printable characters only")
    return decoded


def parse_notify(value: str | None) -> frozenset[Notify]:
    """``NOTIFY=NEVER``, or a list of the others."""
    try:
        wished = frozenset(Notify(word) for word in (value or "").upper().split(","))
    except ValueError:
        raise _malformed("NOTIFY must be NEVER, or some of SUCCESS,FAILURE,DELAY") from None
    if Notify.NEVER in wished and len(wished) > 1:
        raise _malformed("NOTIFY=NEVER must stand alone")
    return wished


def parse_original(value: str | None) -> str:
    """``ORCPT=type;xtext``, as type, semicolon and the address, decoded."""
    if value is None or len(value) > ORIGINAL_CHARACTERS:
        raise _malformed(f"ORCPT must have 1 to {ORIGINAL_CHARACTERS} characters")
    kind, _semicolon, address = value.partition(";")
    if not address or not _ADDRESS_TYPE.fullmatch(kind):
        raise _malformed("ORCPT must be a type, a semicolon and an address, as in rfc822;ann@example.org")
    try:
        # RFC 6533 3: the one type with another encoding.
        decoded = (decode_utf8_address if kind.lower() == "utf-8" else decode_xtext)(address)
    except ValueError:
        raise _malformed("ORCPT must be xtext: write odd characters as + and two hex digits") from None
    if not decoded.isprintable():
        raise _malformed("ORCPT must stand for printable characters only")
    return f"{kind};{decoded}"


def _malformed(words: str) -> Malformed:
    return Malformed(replies.SYNTAX_ERROR.with_text(words))
