"""A message as programs write it for ``sendmail``, made ready to be handed in.  Touches nothing."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import formataddr

from mailsys.message.address import Address, AddressError, parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.headers import Field, Headers, parse_headers
from mailsys.message.mailboxes import parse_mailboxes
from mailsys.message.missing_fields import missing_fields
from mailsys.wire.line_ends import LineEnds

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_USER = re.compile(rb"[A-Za-z0-9_.-]+")
_RECIPIENTS = (b"to", b"cc", b"bcc")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class WrongMail(Exception):  # noqa: N818 - a sentence for whoever wrote it
    """It cannot be sent as it is; ``status`` is the exit status of sysexits.h."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: ``domain`` completes names, ``sender`` is what was asked for (None: the user)."""

    domain: str
    user: str
    sender: str | None
    full_name: str
    now: float

    def complete(self, name: str) -> Address:
        """An address, or a name of this host; raises WrongMail."""
        bare = name.strip().removeprefix("<").removesuffix(">")
        try:
            return parse_address(bare if "@" in bare else f"{bare}@{self.domain}")
        except AddressError as error:
            raise WrongMail(f'"{bare}" is no address: {error}', os.EX_DATAERR) from None


@dataclass(frozen=True, slots=True)
class Mail:
    """Ready to be handed in; ``octets`` has CR LF at each line's end.  No sender is the null reverse-path."""

    sender: Address | None
    recipients: tuple[Address, ...]
    octets: bytes
    smtputf8: bool


def write_mail(octets: bytes, addresses: Sequence[str], writer: Writer, *, from_header: bool) -> Mail:
    """Add what is missing; with ``from_header`` take recipients from the header, and Bcc out of it.

    Raises WrongMail.
    """
    head, body = _split(octets)
    headers = parse_headers(head + b"\r\n")
    recipients = [writer.complete(one) for text in addresses for one in text.split(",") if one.strip()]
    if from_header:
        recipients += _named_in(headers, writer)
        head = _without_bcc(head, headers)
    head = _with_whole_from(head, writer)
    if not recipients:
        raise WrongMail(
            f"there is no recipient{'' if from_header else ' (-t reads To, Cc, Bcc)'}", os.EX_USAGE
        )
    sender = _sender(writer)
    head = _added(headers, head, sender, writer) + head
    needs_utf8 = not head.isascii() or not all(one.is_ascii for one in filter(None, [sender, *recipients]))
    return Mail(sender, tuple(dict.fromkeys(recipients)), head + b"\r\n" + body, needs_utf8)


def _split(octets: bytes) -> tuple[bytes, bytes]:
    """Header and body.  Text without a header is all body; the line "From " of a mailbox file is none."""
    ends = LineEnds()
    lines = (ends.feed(octets) + ends.end()).split(b"\r\n")
    if lines[0].startswith(b"From "):
        del lines[0]
    number = 0
    while number < len(lines) and (
        _FIELD.match(lines[number]) or (number and lines[number].startswith((b" ", b"\t")))
    ):
        number += 1
    body = lines[number:]
    if body and not body[0]:
        del body[0]
    return b"".join(line + b"\r\n" for line in lines[:number]), b"\r\n".join(body)


def _named_in(headers: Headers, writer: Writer) -> Iterator[Address]:
    """The recipients of the Resent- fields, if there are any, else of To, Cc and Bcc (RFC 5322 3.6.6)."""
    resent = [b"resent-" + name for name in _RECIPIENTS]
    names = resent if any(map(headers.count, resent)) else _RECIPIENTS
    for name in names:
        for found in headers.all(name):
            for mailbox in parse_mailboxes(found.value):
                yield writer.complete((mailbox.spec or mailbox.name).decode(errors="replace"))


def _without_bcc(head: bytes, headers: Headers) -> bytes:
    hidden: list[Field] = [*headers.all(b"bcc"), *headers.all(b"resent-bcc")]
    for found in sorted(hidden, key=lambda one: one.start, reverse=True):
        head = head[: found.start] + head[found.end :]
    return head


def _with_whole_from(head: bytes, writer: Writer) -> bytes:
    """``From: root (Cron Daemon)``, as cron writes it, names a user of this host: add the domain."""
    found = parse_headers(head + b"\r\n").all(b"from")
    mailboxes = parse_mailboxes(found[0].value) if len(found) == 1 else []
    if len(mailboxes) != 1:
        return head
    user = mailboxes[0].spec or mailboxes[0].name
    if not _USER.fullmatch(user):
        return head
    written = head[found[0].start : found[0].end]
    after = written.find(b":") + 1
    place = written.find(b"<" + user + b">", after) + 1 or written.find(user, after)
    place += found[0].start + len(user)
    return head[:place] + b"@" + writer.domain.encode() + head[place:]


def _sender(writer: Writer) -> Address | None:
    if writer.sender is None:
        return writer.complete(writer.user)
    return writer.complete(writer.sender) if writer.sender.strip("<> ") else None


def _added(headers: Headers, head: bytes, sender: Address | None, writer: Writer) -> bytes:
    """Date, Message-ID and From, each only if the message has none."""
    name = f"{int(writer.now)}.{secrets.token_hex(8)}"
    added = missing_fields(MemoryContent([head + b"\r\n"]), name, writer.domain, writer.now)
    if not headers.count(b"from"):
        address = str(sender or writer.complete(writer.user))
        full_name = _CONTROL.sub(" ", writer.full_name).strip()
        written = formataddr((full_name, address)) if address.isascii() else f"<{address}>"
        added += f"From: {written}\r\n".encode()
    return added
