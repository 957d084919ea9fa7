"""The header lines that a host puts in front of a message: Received, Return-Path, Delivered-To.

All are complete lines with CRLF, folded at 78 octets where they can be.  They are written for every
copy of every message and hold what a peer said, so nothing of that goes in as it came.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import lru_cache

from mailsys.message.address import Address

GREETING_OCTETS = 255  # of what the peer called itself

# RFC 5321 4.4: Extended-Domain begins with a Domain or an address-literal; underscores are seen.
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?\.?|\[[A-Za-z0-9:.]{1,60}\]")
_NOT_IN_COMMENT = re.compile(r"[^ -~]")
_SPECIAL_IN_COMMENT = re.compile(r"[()\\]")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Trace:
    """How a message came in, the same for all its copies.

    ``greeting`` is what the peer called itself, raw; ``peer_host`` its IP address, empty for a local
    socket.  ``protocol`` is of RFC 3848, ``tls`` the version and cipher.  ``hides_client`` is for people's
    own programs: where they are, and what their machine is called, is nobody's business.
    """

    id: str
    hostname: str
    greeting: str
    peer_host: str
    protocol: str = "SMTP"
    tls: str = ""
    smtputf8: bool = False
    hides_client: bool = False


def received_field(trace: Trace, recipient: Address | None, now: float) -> bytes:
    """The Received field (RFC 5321 4.4) for one copy, or without ``for`` when there is no recipient.

    ``now`` is in seconds since 1970.  An address that needs SMTPUTF8 is left out of a message that
    came without it.
    """
    head = _received_head(trace)
    if recipient is None or not (trace.smtputf8 or recipient.is_ascii):
        return f"{head};\r\n\t{date_time(now)}\r\n".encode()
    return f"{head}\r\n\tfor <{recipient}>;\r\n\t{date_time(now)}\r\n".encode()


def return_path_field(reverse_path: Address | None) -> bytes:
    """The Return-Path field (RFC 5321 4.4); None is the null reverse-path.

    A reverse-path beyond ASCII comes with SMTPUTF8 only, so it may stand here as it is.
    """
    return f"Return-Path: <{'' if reverse_path is None else reverse_path}>\r\n".encode()


def delivered_to_field(address: Address, *, smtputf8: bool) -> bytes:
    """The Delivered-To field (RFC 9228), by which a loop is found.

    Empty when the address needs SMTPUTF8 and the message came without it: the message must stay one
    that every program can read.
    """
    return f"Delivered-To: {address}\r\n".encode() if smtputf8 or address.is_ascii else b""


def original_to_field(address: Address, *, smtputf8: bool) -> bytes:
    """X-Original-To: the recipient that the client named, where an alias or a tag led elsewhere."""
    return f"X-Original-To: {address}\r\n".encode() if smtputf8 or address.is_ascii else b""


def date_time(now: float) -> str:
    """``Mon, 23 Nov 2026 15:26:00 +0000`` (RFC 5322 3.3), always in UTC."""
    return _date_time(int(now))


@lru_cache(maxsize=8)
def _date_time(second: int) -> str:
    at = time.gmtime(second)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04}"
        f" {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} +0000"
    )


@lru_cache(maxsize=64)
def _received_head(trace: Trace) -> str:
    """All but recipient and date; remembered for the other copies of the same message."""
    tls = f"\r\n\t({_comment(trace.tls)})" if trace.tls else ""
    client = "" if trace.hides_client else f"from {_from_domain(trace)}\r\n\t"
    return f"Received: {client}by {trace.hostname} (mailsys) with {_protocol(trace)}{tls}\r\n\tid {trace.id}"


def _from_domain(trace: Trace) -> str:
    """RFC 5321 4.4: From-domain, with the peer's address in parentheses."""
    literal = _literal(trace.peer_host)
    if _DOMAIN.fullmatch(trace.greeting):
        return f"{trace.greeting} ({literal})"
    # Not a name that may stand here, so it is quoted as what was said.
    said = f"said {_comment(trace.greeting)}, " if trace.greeting else ""
    return f"{literal if trace.peer_host else 'localhost'} ({said}{literal})"


def _literal(host: str) -> str:
    """RFC 5321 4.1.3, without the zone that a link-local address may have."""
    if not host:
        return "local"
    host = host.partition("%")[0]
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"


def _protocol(trace: Trace) -> str:
    """RFC 6531 4.3: UTF8SMTP, UTF8SMTPS … for messages that came with SMTPUTF8."""
    return f"UTF8{trace.protocol.removeprefix('E')}" if trace.smtputf8 else trace.protocol


def _comment(text: str) -> str:
    """Text for within parentheses: bounded, printable ASCII, nothing that ends the comment."""
    return _SPECIAL_IN_COMMENT.sub(r"\\\g<0>", _NOT_IN_COMMENT.sub("?", text[:GREETING_OCTETS]))
