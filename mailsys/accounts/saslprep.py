"""Passwords as octets: the same ones however a keyboard composed the characters.

SASLprep (RFC 4013) is what RFC 4616 (PLAIN) and RFC 5802 (SCRAM) ask for: spaces become ASCII
spaces, invisible characters go, the rest is NFKC.  It knows Unicode 3.2 only, and forbids what
came later (an emoji, say).  People choose such passwords all the same, and clients then send
them as they are; so a password that SASLprep forbids is taken in NFC (as RFC 8265 has it).
"""

from __future__ import annotations

import stringprep
import unicodedata
from collections.abc import Callable

# RFC 4013 2.3 and 2.5
_PROHIBITED: tuple[Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def prepared(password: str) -> bytes:
    """The octets that are hashed, of a password that UTF-8 can write; nothing else is refused here."""
    if password.isascii():
        return password.encode()
    kept = (c for c in password if not stringprep.in_table_b1(c))
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in kept)
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not normal or _is_prohibited(normal):
        normal = unicodedata.normalize("NFC", password)
    return normal.encode()


def _is_prohibited(text: str) -> bool:
    return any(table(c) for c in text for table in _PROHIBITED) or not _is_one_direction(text)


def _is_one_direction(text: str) -> bool:
    """RFC 3454 section 6: with any right-to-left character, all of it runs that way."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    runs_back = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return runs_back and not any(map(stringprep.in_table_d2, text))
