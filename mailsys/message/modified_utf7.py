"""Modified UTF-7: how IMAP and Maildir++ write names of folders in ASCII (RFC 3501 5.1.3).

Each text has exactly one form, and only that one is read: two forms of a name would be two folders for
one program and one for another.
"""

from __future__ import annotations

import base64
import binascii
import re

_TO_ENCODE = re.compile(r"&|[^\x20-\x7e]+")
_ENCODED = re.compile(r"&([A-Za-z0-9+,]*)-")


def encode_utf7(text: str) -> str:
    """Write text in modified UTF-7; it must not hold lone surrogates."""
    return _TO_ENCODE.sub(lambda found: f"&{_base64(found.group())}-", text)


def decode_utf7(text: str) -> str:
    """Read modified UTF-7; raises ValueError for what :func:`encode_utf7` would not have written."""
    try:
        decoded = _ENCODED.sub(lambda found: _text(found[1]), text)
        is_its_form = encode_utf7(decoded) == text
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("this is not modified UTF-7") from error
    if not is_its_form:
        raise ValueError("this is not modified UTF-7 as it should be written")
    return decoded


def _base64(text: str) -> str:
    if text == "&":
        return ""
    octets = base64.b64encode(text.encode("utf-16-be"), b"+,")
    return octets.rstrip(b"=").decode("ascii")


def _text(encoded: str) -> str:
    if not encoded:
        return "&"
    padded = encoded + "=" * (-len(encoded) % 4)
    return base64.b64decode(padded, b"+,", validate=True).decode("utf-16-be")
