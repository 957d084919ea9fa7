"""What CAPABILITY says: only what is true on this connection at this moment (RFC 9051 7.2.2).

A word stands here with the commands that it announces; while one of them is no command of ours, the
word is not said.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """``word`` is announced when all ``commands`` are there; ``always``: before login, too."""

    word: str
    commands: frozenset[bytes] = frozenset()
    always: bool = False


def _feature(word: str, *commands: bytes, always: bool = False) -> Feature:
    return Feature(word, frozenset(commands), always)


FEATURES = (
    _feature("IMAP4rev1", always=True),
    _feature("IMAP4rev2", b"SEARCH", b"MOVE", always=True),
    _feature("LITERAL+", always=True),
    _feature("SASL-IR", b"AUTHENTICATE", always=True),
    _feature("ID", b"ID", always=True),
    _feature("ENABLE", b"ENABLE", always=True),
    _feature("IDLE", b"IDLE"),
    _feature("NAMESPACE", b"NAMESPACE"),
    _feature("CHILDREN", b"LIST"),
    _feature("UNSELECT", b"UNSELECT"),
    _feature("UIDPLUS", b"UID EXPUNGE"),
    _feature("MOVE", b"MOVE", b"UID MOVE"),
    _feature("SPECIAL-USE", b"LIST"),
    _feature("CREATE-SPECIAL-USE", b"CREATE"),
    _feature("LIST-EXTENDED", b"LIST"),
    _feature("LIST-STATUS", b"LIST"),
    _feature("STATUS=SIZE", b"STATUS"),
    _feature("CONDSTORE", b"STORE", b"SEARCH"),
    _feature("QRESYNC", b"SELECT", b"SEARCH"),
    _feature("ESEARCH", b"SEARCH"),
    _feature("SEARCHRES", b"SEARCH"),
    _feature("WITHIN", b"SEARCH"),
    _feature("CONTEXT=SEARCH", b"SEARCH", b"CANCELUPDATE"),
    _feature("SORT", b"SORT"),
    _feature("SORT=DISPLAY", b"SORT"),
    _feature("ESORT", b"SORT"),
    _feature("THREAD=REFERENCES", b"THREAD"),
    _feature("THREAD=ORDEREDSUBJECT", b"THREAD"),
    _feature("I18NLEVEL=1", b"SEARCH", b"SORT", b"THREAD"),
    _feature("BINARY", b"APPEND"),
    _feature("MULTIAPPEND", b"APPEND"),
    _feature("CATENATE", b"APPEND"),
    _feature("PREVIEW", b"FETCH"),
    _feature("SAVEDATE", b"SEARCH"),
    _feature("QUOTA", b"GETQUOTA", b"GETQUOTAROOT"),
    _feature("QUOTA=RES-STORAGE", b"GETQUOTA"),
    _feature("COMPRESS=DEFLATE", b"COMPRESS"),
    _feature("UTF8=ACCEPT", b"ENABLE"),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the connection allows.

    ``starttls`` until login or TLS; ``mechanisms`` to log in with, none when passwords may not come;
    ``append_octets`` is the largest message (RFC 7889); ``without`` are words that are not to be said.
    """

    starttls: bool
    mechanisms: tuple[str, ...]
    append_octets: int = 0
    logged_in: bool = False
    compressed: bool = False
    without: frozenset[str] = frozenset()


def capabilities(terms: Terms, commands: Collection[bytes]) -> list[str]:
    """The words, in the order in which they are said; ``commands`` are those that there are."""
    words = [
        feature.word
        for feature in FEATURES
        if (feature.always or terms.logged_in) and feature.commands.issubset(commands)
    ]
    if terms.logged_in:
        words.append(f"APPENDLIMIT={terms.append_octets}")
    else:
        words += _login_words(terms)
    if terms.compressed:
        words.remove("COMPRESS=DEFLATE")
    return [word for word in words if word.upper() not in terms.without]


def _login_words(terms: Terms) -> list[str]:
    words = [f"AUTH={mechanism}" for mechanism in terms.mechanisms]
    if terms.starttls:
        words.append("STARTTLS")
    if not terms.mechanisms:
        words.append("LOGINDISABLED")
    return words
