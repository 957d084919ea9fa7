"""The second part of a notice: what programs read, message/delivery-status (RFC 3464, RFC 6533 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from mailsys.interfaces import QueuedMessage
from mailsys.message.address import Address
from mailsys.message.trace_fields import date_time
from mailsys.message.xtext import encode_utf8_address
from mailsys.notices.told import Kind, Told

_LINE_CHARACTERS = 76
_NOT_PLAIN = re.compile(r"[^ -~]")


def delivery_status(
    message: QueuedMessage, told: Sequence[Told], *, hostname: str, until: float, is_global: bool
) -> bytes:
    """Groups of fields with CR LF.  ``until`` is when the message is given up."""
    fields = [("Reporting-MTA", f"dns; {hostname}")]
    if message.envelope.notice_id:
        fields.insert(0, ("Original-Envelope-Id", _plain(message.envelope.notice_id)))
    fields.append(("Arrival-Date", date_time(message.at)))
    if message.not_before:
        moment = datetime.fromtimestamp(message.not_before, UTC)
        fields.append(("Future-Release-Request", f"until; {moment:%Y-%m-%dT%H:%M:%SZ}"))  # RFC 4865
    groups = [fields, *[_of_one(one, until, is_global) for one in told]]
    return "\r\n".join(["".join([_line(*field) for field in group]) for group in groups]).encode()


def _of_one(one: Told, until: float, is_global: bool) -> list[tuple[str, str]]:
    fields = []
    if one.original:
        kind, _semicolon, address = one.original.partition(";")
        is_utf8 = kind.lower() == "utf-8"
        shown = _utf8(address, is_global) if is_utf8 else _plain(address)
        fields.append(("Original-Recipient", f"{_plain(kind)}; {shown}"))
    fields += [
        ("Final-Recipient", _typed(one.address, is_global)),
        ("Action", one.action),
        ("Status", one.status),
    ]
    if one.remote:
        fields.append(("Remote-MTA", f"dns; {_plain(one.host)}"))
    if one.kind is not Kind.DELIVERED or one.said:
        # What the remote did not say is no reply of SMTP (RFC 3464 2.3.6).
        kind = "smtp" if one.said[:3].isdigit() else "x-mailsys"
        fields.append(("Diagnostic-Code", f"{kind}; {_plain(one.said or one.reason)}"))
    fields.append(("Last-Attempt-Date", date_time(one.at)))
    if one.kind is Kind.DELAYED:
        fields.append(("Will-Retry-Until", date_time(until)))
    return fields


def _typed(address: Address, is_global: bool) -> str:
    if address.is_ascii:
        return f"rfc822; {address}"
    return f"utf-8; {_utf8(str(address), is_global)}"


def _utf8(address: str, is_global: bool) -> str:
    """RFC 6533 3: as it is in a global notice, else in ASCII."""
    if is_global:
        return "".join(character if character.isprintable() else "?" for character in address)
    return encode_utf8_address(address)


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub("?", text)


def _line(name: str, value: str) -> str:
    """Folded at spaces."""
    line, lines = f"{name}:", []
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _LINE_CHARACTERS and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "".join(f"{one}\r\n" for one in [*lines, line])
