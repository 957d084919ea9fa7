"""Reads what IMAP servers write in parentheses, for tests: lists, strings and atoms."""

import re

_ATOM = re.compile(rb"[^ ()\r\n]+")


def read_lists(octets):
    """Everything as nested lists: strings as bytes, atoms as str, NIL as None.  Raises AssertionError."""
    outer, _ = _read(octets, 0, 0)
    return outer


def _read(octets, at, depth):
    found = []
    while at < len(octets):
        first = octets[at : at + 1]
        if first == b"(":
            inner, at = _read(octets, at + 1, depth + 1)
            found.append(inner)
        elif first == b")":
            assert depth, "a parenthesis too many"
            return found, at + 1
        elif first in b" \r\n":
            at += 1
        elif first == b'"':
            text, at = _quoted(octets, at + 1)
            found.append(text)
        elif first == b"{":
            end = octets.index(b"}\r\n", at)
            size = int(octets[at + 1 : end])
            at = end + 3 + size
            assert at <= len(octets), "a literal is cut off"
            found.append(octets[end + 3 : at])
        else:
            atom = _ATOM.match(octets, at)[0]
            at += len(atom)
            found.append(None if atom == b"NIL" else atom.decode("ascii"))
    assert depth == 0, "a parenthesis is missing"
    return found, at


def _quoted(octets, at):
    match = re.compile(rb'((?:[^"\\\r\n\0]|\\["\\])*)"').match(octets, at)
    assert match, f"no quoted string: {octets[at : at + 40]!r}"
    return re.sub(rb"\\(.)", rb"\1", match[1]), match.end()
