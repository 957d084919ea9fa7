"""xtext: how a parameter of SMTP holds what must not stand in a line (RFC 3461 4, RFC 6533 3)."""

from __future__ import annotations

import re

# RFC 3461 4: xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
_NOT_XCHAR = re.compile(r"[^!-*,-<>-~]")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*")
_HEXCHAR = re.compile(r"\+([0-9A-Fa-f]{2})")
# RFC 6533 3: what stands for itself in utf-8-addr-xtext; all else is \x{…}.
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")
_POINT = r"\\x\{([0-9A-Fa-f]{2,6})\}"
_UTF8_ADDRESS = re.compile(rf"(?:[!-*,-<>-\[\]-~\u0080-\U0010ffff]|{_POINT})*")
_EMBEDDED = re.compile(_POINT)


def encode_xtext(text: str) -> str:
    """Of a text in ASCII; what is not is lost."""
    return _NOT_XCHAR.sub(lambda found: f"+{ord(found[0]):02X}" if found[0].isascii() else "?", text)


def decode_xtext(text: str) -> str:
    """What was encoded, in ASCII; raises ValueError."""
    if not _XTEXT.fullmatch(text):
        raise ValueError("it is not xtext")
    decoded = _HEXCHAR.sub(lambda found: chr(int(found[1], 16)), text)
    if not decoded.isascii():
        raise ValueError("it is not ASCII")
    return decoded


def encode_utf8_address(address: str) -> str:
    """An address beyond ASCII in ASCII, as utf-8-addr-xtext."""
    return _NOT_QCHAR.sub(lambda found: rf"\x{{{ord(found[0]):02X}}}", address)


def decode_utf8_address(text: str) -> str:
    """The address, from utf-8-addr-xtext or utf-8-addr-unitext; raises ValueError."""
    if not _UTF8_ADDRESS.fullmatch(text):
        raise ValueError("it is not an address in UTF-8")
    decoded = _EMBEDDED.sub(lambda found: chr(int(found[1], 16)), text)
    decoded.encode()  # raises UnicodeEncodeError, a ValueError, for half of a pair
    return decoded
