"""Words that story and log share.  Facts come from a file: any may be missing or of another kind."""

from __future__ import annotations

import pwd
from collections.abc import Mapping, Sequence
from typing import Any

from mailsys.journal.printable import bounded

_SHOWN_NAMES = 10
_SHOWN_CHARACTERS = 500


def text_of(facts: Mapping[str, Any], fact: str) -> str:
    """A fact as text; empty when it is not there."""
    value = facts.get(fact)
    return "" if value is None else str(value)


def texts_of(facts: Mapping[str, Any], fact: str) -> list[str]:
    """A fact that is a list, as texts; empty when it is none."""
    value = facts.get(fact)
    return [str(item) for item in value] if isinstance(value, list) else []


def size_in_words(facts: Mapping[str, Any]) -> str:
    """``312 bytes``, ``10 kB``, ``1.4 MB`` (powers of ten); empty when unknown."""
    octets = facts.get("size")
    if not isinstance(octets, int) or octets < 0:
        return ""
    if octets < 1000:
        return f"{octets} byte" if octets == 1 else f"{octets} bytes"
    if octets < 999_500:
        return f"{octets / 1000:.0f} kB"
    if octets < 999_500_000:
        return f"{octets / 1_000_000:.1f} MB"
    return f"{octets / 1_000_000_000:.1f} GB"


def peer_in_words(facts: Mapping[str, Any]) -> str:
    """Return ``[192.0.2.7]``, or that it came from this machine, and of which user."""
    if peer := text_of(facts, "peer"):
        return f"[{peer}]"
    uid = facts.get("uid")
    return f"a local socket of {_user(uid)}" if isinstance(uid, int) else "a local socket"


def _user(uid: int) -> str:
    """The name that the user has now."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"user {uid}"


def client_in_words(facts: Mapping[str, Any]) -> str:
    """Return ``mail.example.net [192.0.2.7]``, as it called itself and where it was."""
    name, where = text_of(facts, "greeting"), peer_in_words(facts)
    return f"{name} {where}" if name else where


def secrecy_in_words(facts: Mapping[str, Any]) -> str:
    """Whether others could read along on the way; nothing for a way that does not leave this machine."""
    if tls := text_of(facts, "tls"):
        return secrecy_of(tls)
    return "not encrypted" if text_of(facts, "peer") else ""


def secrecy_of(tls: str) -> str:
    """``encrypted with TLS 1.3``, of version, cipher and, of hosts that we sent to, what was found out."""
    version, _space, rest = tls.partition(" ")
    if version == "none:":
        return f"not encrypted ({rest})"
    _cipher, _comma, finding = rest.partition(", ")
    return f"encrypted with {version.replace('TLSv', 'TLS ')}" + (f" ({finding})" if finding else "")


def value_in_words(value: object) -> str:
    """A fact of any kind, with a bounded length."""
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return bounded(words, _SHOWN_CHARACTERS)


def tls_version(facts: Mapping[str, Any]) -> str:
    """``TLSv1.3`` without the cipher; empty without TLS."""
    return text_of(facts, "tls").partition(" ")[0]


def paths(addresses: Sequence[str]) -> str:
    """Addresses in angle brackets; of very many only the first."""
    shown = [f"<{address}>" for address in addresses[:_SHOWN_NAMES]]
    if (more := len(addresses) - len(shown)) > 0:
        return f"{', '.join(shown)} and {more} more"
    return ", ".join(shown)
