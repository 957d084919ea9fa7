"""What is wrong with what a plugin returned: one sentence, or empty when it can be used.

mypy cannot look into a plugin that is installed later, and the stations rely on what stands here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mailsys.interfaces import Account, Attempt, Disposition, Refused, ToDelivery, ToMailboxes, Verdict
from mailsys.message.address import Address, AddressError, parse_address
from mailsys.message.outcome import Deferred, Delivered, Failed
from mailsys.message.reply import Reply

TEXT_CHARACTERS = 2000
HEADER_OCTETS = 64 * 1024
LINE_OCTETS = 998  # RFC 5322 2.1.1
MOST_ACCOUNTS = 1000

_ENHANCED = re.compile(r"|[245]\.[0-9]{1,3}\.[0-9]{1,3}")
# RFC 5322 2.2: a name, a colon, and a value that may be folded; RFC 6532: UTF-8 in the value.
_FIELD = re.compile(rb"[!-9;-~]{1,76}:[^\r\n\0]*(?:\r\n[ \t][^\r\n\0]*)*\r\n")


def wrong_text(value: Any, what: str = "a text") -> str:
    """A text of a length that can be told."""
    if not isinstance(value, str):
        return f"{_kind(value)} in the place of {what}"
    return f"{what} has more than {TEXT_CHARACTERS} characters" if len(value) > TEXT_CHARACTERS else ""


def wrong_texts(value: Any) -> str:
    """Several of them, such as the way to a mailbox in words."""
    if not isinstance(value, list | tuple):
        return f"{_kind(value)} in the place of a tuple of texts"
    return next(filter(None, map(wrong_text, value)), "")


def wrong_reply(value: Any) -> str:
    """A reply that can be sent."""
    if not isinstance(value, Reply):
        return f"{_kind(value)} in the place of a Reply"
    if type(value.code) is not int or not 200 <= value.code <= 599:
        return "a Reply without a possible code"
    if not isinstance(value.enhanced, str) or not _ENHANCED.fullmatch(value.enhanced):
        return "a Reply without a possible enhanced code"
    return wrong_text(value.text, "the text of a Reply")


def wrong_verdict(value: Any) -> str:
    """What a judge may say."""
    if not isinstance(value, Verdict) or not isinstance(value.disposition, Disposition):
        return f"{_kind(value)} in the place of a Verdict"
    return (
        wrong_text(value.reason, "the reason of a Verdict")
        or (wrong_reply(value.reply) if value.reply is not None else "")
        or wrong_header_lines(value.headers)
    )


def wrong_header_lines(value: Any) -> str:
    """Whole header fields, each ending with CR LF."""
    if not isinstance(value, list | tuple) or not all(isinstance(line, bytes) for line in value):
        return f"{_kind(value)} in the place of a sequence of header lines (bytes)"
    if sum(map(len, value)) > HEADER_OCTETS:
        return f"header lines of more than {HEADER_OCTETS} octets"
    return next(filter(None, map(_wrong_field, value)), "")


def _wrong_field(field: bytes) -> str:
    if not _FIELD.fullmatch(field):
        return f"{field[:60]!r} is no header field that ends with CR LF"
    if max(map(len, field.split(b"\r\n"))) > LINE_OCTETS:
        return f"a header line of more than {LINE_OCTETS} octets"
    try:
        field.decode()
    except UnicodeDecodeError:
        return f"{field[:60]!r} is not UTF-8"
    return ""


def wrong_address(value: Any) -> str:
    """An address as ``parse_address`` would give it."""
    if not isinstance(value, Address) or not isinstance(value.local_part, str):
        return f"{_kind(value)} in the place of an Address"
    try:
        return "" if parse_address(str(value)) == value else f"{value} is not an address as it is kept here"
    except AddressError as error:
        return f"an Address that is none: {error}"


def wrong_account(value: Any) -> str:
    """An account."""
    if not isinstance(value, Account) or type(value.active) is not bool:
        return f"{_kind(value)} in the place of an Account"
    if value.quota_bytes is not None and (type(value.quota_bytes) is not int or value.quota_bytes < 0):
        return "an Account with a quota that is no number of octets"
    if fault := wrong_address(value.address):
        return fault
    return "" if value.address == value.address.folded() else f"the Account {value.address} is not folded"


def wrong_account_of(address: Address) -> Any:
    """An account of this address, or None."""

    def fault(value: Any) -> str:
        if value is None or (wrong := wrong_account(value)):
            return "" if value is None else wrong
        return "" if value.address == address else f"the Account {value.address} when asked for {address}"

    return fault


def wrong_route(value: Any) -> str:
    """A route, or None."""
    match value:
        case None:
            return ""
        case ToMailboxes(tuple(accounts), via, _, tuple(outside)) if (
            0 < len(accounts) + len(outside) <= MOST_ACCOUNTS
        ):
            faults = (*map(wrong_account, accounts), *map(wrong_address, outside))
            return next(filter(None, faults), "") or wrong_texts(via)
        case ToMailboxes():
            return f"ToMailboxes without a tuple of 1 to {MOST_ACCOUNTS} accounts"
        case ToDelivery(name, via):
            return wrong_text(name, "the name of a delivery") or wrong_texts(via)
        case Refused(reply, via):
            fault = wrong_reply(reply) or wrong_texts(via)
            return fault or ("Refused with a positive Reply" if reply.is_positive else "")
    return f"{_kind(value)} in the place of a Route"


def wrong_attempts(recipients: Sequence[Address]) -> Any:
    """One attempt for each of these recipients, and for nobody else."""

    def fault(value: Any) -> str:
        if not isinstance(value, Mapping):
            return f"{_kind(value)} in the place of a mapping of attempts"
        if set(value) != set(recipients):
            return "not exactly one Attempt for each recipient"
        return next(filter(None, map(_wrong_attempt, value.values())), "")

    return fault


def _wrong_attempt(value: Any) -> str:
    if not isinstance(value, Attempt):
        return f"{_kind(value)} in the place of an Attempt"
    match value.outcome:
        case Delivered(where):
            return wrong_text(where, "where it was delivered")
        case Deferred(reply):
            return wrong_reply(reply) or ("" if reply.is_transient else "Deferred without a Reply of 4xx")
        case Failed(reply):
            return wrong_reply(reply) or ("" if reply.is_permanent else "Failed without a Reply of 5xx")
    return f"{_kind(value.outcome)} in the place of an Outcome"


def _kind(value: object) -> str:
    """Its type; its text may be anything."""
    return f"an object of type {type(value).__name__}"[:100]
