"""Tells a person what exactly is wrong with an address, and where."""

from __future__ import annotations

import re

import idna

from mailsys.journal.printable import printable
from mailsys.message.address import (
    ADDRESS_OCTETS,
    DOMAIN_OCTETS,
    LOCAL_PART_OCTETS,
    AddressError,
    parse_address,
)

LABEL_OCTETS = 63
# RFC 5321 4.1.2: what may stand before the @ without quotes, and the dots between.
_NOT_BARE = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]")
_NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9_\u0080-\U0010ffff-]")


def fault_of(text: str) -> str:
    """One sentence without its full stop; empty when this is an address."""
    try:
        parse_address(text)
    except AddressError as error:
        return _unseen(text) or _local_fault(text) or _domain_fault(text) or str(error)
    return ""


def _unseen(text: str) -> str:
    """Characters that nobody sees are told first: a person looks for them in vain."""
    if not text:
        return "it is empty"
    for place, character in enumerate(text, 1):
        if character.isspace():
            return f"character {place} is a space"
        if not character.isprintable():
            return f"character {place} is {printable(character)}, which nobody can see"
    return ""


def _local_fault(text: str) -> str:
    local, at, _domain = text.rpartition("@")
    if not at:
        return "there is no @"
    if local.startswith('"'):
        return _quoted_fault(local) or _length_fault(local)
    if not local:
        return "there is nothing before the @"
    if found := _NOT_BARE.search(local):
        character, place = found.group(), found.start() + 1
        what = f"character {place}, {character}, may stand before the @ only in quotes"
        return what if '"' in local else f'{what}, as in "{local}"@…'
    return _length_fault(local)


def _quoted_fault(local: str) -> str:
    inside = re.sub(r"\\.", "xx", local[1:])
    end = inside.find('"')
    if end < 0:
        return "the quotes do not end before the @"
    return "" if end == len(inside) - 1 else f"character {end + 3} stands behind the quotes and before the @"


def _length_fault(local: str) -> str:
    octets = len(local.encode(errors="replace"))
    return (
        f"there are {octets} octets before the @, and {LOCAL_PART_OCTETS} are allowed"
        if octets > LOCAL_PART_OCTETS
        else ""
    )


def _domain_fault(text: str) -> str:
    domain = text.rpartition("@")[2]
    if not domain:
        return "there is nothing behind the @"
    if domain.startswith("["):
        return f"{domain} is no address literal; write it as in [192.0.2.1] or [IPv6:2001:db8::1]"
    labels = domain.split(".")
    if "" in labels:
        return _dots_fault(domain)
    for label in labels:
        if fault := _label_fault(label):
            return fault
    octets = len(domain.encode(errors="replace"))
    if octets > DOMAIN_OCTETS:
        return f"the domain has {octets} octets, and {DOMAIN_OCTETS} are allowed"
    return _whole_fault(text, domain)


def _dots_fault(domain: str) -> str:
    if domain.endswith("."):
        return "the domain ends with a dot"
    return "the domain begins with a dot" if domain.startswith(".") else "the domain has two dots in a row"


def _label_fault(label: str) -> str:
    if found := _NOT_IN_LABEL.search(label):
        return f'the domain has the character {found.group()} in "{label}"'
    if label[0] in "-_" or label[-1] in "-_":
        return f'the part "{label}" of the domain must begin and end with a letter or digit'
    if label.isascii() and len(label) > LABEL_OCTETS:
        return f"a part of the domain has {len(label)} characters, and {LABEL_OCTETS} are allowed"
    return ""


def _whole_fault(text: str, domain: str) -> str:
    if not domain.isascii():
        try:
            idna.encode(domain, uts46=True)
        except (idna.IDNAError, UnicodeError) as error:
            return f"the domain is not allowed in IDNA: {printable(str(error))}"
    octets = len(text.encode(errors="replace"))
    return f"it has {octets} octets, and {ADDRESS_OCTETS} are allowed" if octets > ADDRESS_OCTETS else ""
