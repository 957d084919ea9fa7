"""Macros in the domains and explanations of SPF records (RFC 7208 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_EXPAND = re.compile(r"%(?:\{([A-Za-z])([0-9]*)([rR]?)([.\-+,/_=]*)\}|([%_-]))")
# RFC 7208 12: macro-literal is what can be seen, but for the percent sign.
_MACRO_STRING = re.compile(rf"(?:{_EXPAND.pattern}|[!-$&-~])*")
_TOP_LABEL = re.compile(r"\.(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?\Z")
_ENDS_WITH_MACRO = re.compile(r"%(?:\{[^}]*\}|[%_-])\Z")
_ALWAYS = frozenset("slodiphv")
_ONLY_IN_EXPLANATIONS = frozenset("crt")
_LITERALS = {"%": "%", "_": " ", "-": "%20"}
_MOST_PARTS = 128  # RFC 7208 7.3 asks for this; no more can stand in a name
_DOMAIN_OCTETS = 253
MOST_SPEC_OCTETS = 512  # of a domain-spec; each of its macros takes time to expand


class BadMacro(ValueError):  # noqa: N818 - a value: the domain has made a mistake
    """A macro is not one of RFC 7208; the text says which."""


def is_macro_string(text: str) -> bool:
    """Is it a macro-string, and is each macro in it one that there is?"""
    try:
        _demand_known(text, _ALWAYS)
    except BadMacro:
        return False
    return _MACRO_STRING.fullmatch(text) is not None


def is_domain_spec(text: str) -> bool:
    """Is it a domain-spec?  Raises BadMacro when it would be but for one macro."""
    if len(text) > MOST_SPEC_OCTETS or not _MACRO_STRING.fullmatch(text):
        return False
    _demand_known(text, _ALWAYS)
    return bool(_TOP_LABEL.search(text) or _ENDS_WITH_MACRO.search(text))


def demand_explanation(text: str) -> None:
    """An explanation may have spaces, and macros that a domain may not; raises BadMacro."""
    if not _MACRO_STRING.fullmatch(text.replace(" ", "")):
        raise BadMacro("the explanation is no macro-string")
    _demand_known(text, _ALWAYS | _ONLY_IN_EXPLANATIONS)


def _demand_known(text: str, letters: frozenset[str]) -> None:
    for found in _EXPAND.finditer(text):
        letter, digits = found[1], found[2]
        if letter and letter.lower() not in letters:
            raise BadMacro(f"there is no macro {found[0][:20]} here")
        if digits and not digits.strip("0"):
            raise BadMacro(f"{found[0][:20]} keeps nothing")


def letters_in(text: str) -> frozenset[str]:
    """Which macro letters stand in it, in lower case."""
    return frozenset(found[1].lower() for found in _EXPAND.finditer(text) if found[1])


def expand(text: str, values: Mapping[str, str]) -> str:
    """Put the values in, which are by letter in lower case; a letter in upper case is escaped for URLs."""
    return _EXPAND.sub(lambda found: _expanded(found, values), text)


def expand_domain(text: str, values: Mapping[str, str]) -> str:
    """As a name to look up: without a final dot, and with labels cut off at its left if it is too long."""
    domain = expand(text, values).removesuffix(".")
    if len(domain) <= _DOMAIN_OCTETS:
        return domain
    return domain[-_DOMAIN_OCTETS - 1 :].partition(".")[2]


def _expanded(found: re.Match[str], values: Mapping[str, str]) -> str:
    letter, digits, is_reversed, delimiters, literal = found.groups()
    if literal:
        return _LITERALS[literal]
    value = values[letter.lower()]
    if digits or is_reversed or delimiters:
        value = _transformed(value, digits.lstrip("0"), bool(is_reversed), delimiters)
    return quote(value, safe="-._~") if letter.isupper() else value


def _transformed(value: str, digits: str, is_reversed: bool, delimiters: str) -> str:
    """RFC 7208 7.3: split, reverse, keep so many parts from the right, join with dots."""
    parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
    if is_reversed:
        parts.reverse()
    if digits and len(digits) <= 3:
        parts = parts[-min(int(digits), _MOST_PARTS) :]
    return ".".join(parts)
