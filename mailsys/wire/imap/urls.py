"""URLs of messages and parts on this host, as CATENATE names them (RFC 5092, RFC 4469 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mailsys.wire.imap.fetch import Section, parse_section
from mailsys.wire.imap.grammar import BadCommand, folder_name

# /folder;UIDVALIDITY=n/;UID=n/;SECTION=s/;PARTIAL=n.n of which only the UID must be there.
_URL = re.compile(
    r"(?:/(?P<folder>[^;?#]+?)(?:;UIDVALIDITY=(?P<validity>[1-9]\d{0,9}))?)?"
    r"/?;UID=(?P<uid>[1-9]\d{0,9})"
    r"(?:/;SECTION=(?P<section>[^;?#]+?))?"
    r"(?:/;PARTIAL=(?P<first>\d{1,18})(?:\.(?P<octets>[1-9]\d{0,17}))?)?",
    re.IGNORECASE | re.ASCII,
)


class BadUrl(ValueError):  # noqa: N818 - the client is told, nothing is wrong here
    """This is no URL of a message here."""


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """``folder`` is empty for the selected one; ``octets`` is None for all from ``first`` on."""

    folder: str
    uid_validity: int | None
    uid: int
    section: Section
    first: int = 0
    octets: int | None = None


def parse_url(text: str) -> MessageUrl:
    """Read a URL that is relative to this host; raises BadUrl."""
    found = _URL.fullmatch(text)
    if found is None:
        raise BadUrl
    try:
        folder = folder_name(unquote_to_bytes(found["folder"] or "").decode())
        section = parse_section(unquote_to_bytes(found["section"] or ""))
    except (UnicodeDecodeError, BadCommand) as error:
        raise BadUrl from error
    return MessageUrl(
        folder,
        int(found["validity"]) if found["validity"] else None,
        int(found["uid"]),
        section,
        int(found["first"] or 0),
        int(found["octets"]) if found["octets"] else None,
    )
