"""What somebody looks for in the journal: any of what people have at hand on the telephone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from mailsys.journal.clues import domain_clue, folded
from mailsys.journal.ids import as_heard
from mailsys.journal.names import search_name
from mailsys.journal.printable import printable
from mailsys.message.address import AddressError, parse_address, parse_domain
from mailsys.message.encoded_words import decode_words
from mailsys.message.mailboxes import parse_mailboxes

_AFTER_ALL = "\U0010ffff"
_PREFIX_CHARACTERS = 4  # Fewer would find half of the journal.
_PASTED_CHARACTERS = 2000
_WORDS = 20
_AS_ID = re.compile(r"[0-9a-z.]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that is not empty must hold.  Times are seconds since 1970; ``until`` itself is not in it.

    ``text`` is an id or its beginning, an address, a domain, a Message-ID or a login name, as somebody
    pasted it; ``subject`` are words, ``client`` an IP address or network.
    """

    text: str = ""
    subject: str = ""
    client: str = ""
    since: float | None = None
    until: float | None = None

    def names(self) -> set[str]:
        """The forms in which the journal may have the text as a name."""
        found = {search_name(form) for form in _forms(self.text)} | {search_name(self.text)}
        return {name for name in found if name}

    def id_range(self) -> tuple[str, str] | None:
        """Between which ids those lie that begin with the text; None when it can be no id."""
        id_ = printable(as_heard(self.text))
        if len(id_) < _PREFIX_CHARACTERS or not _AS_ID.fullmatch(id_):
            return None
        return id_, id_ + _AFTER_ALL

    def exact_id(self) -> str:
        """The text as an id."""
        return printable(as_heard(self.text))

    def domain(self) -> str:
        """How the clues have the text as a domain; empty when it can be none."""
        text = self.text.strip(" <>@").rstrip(".")
        if "@" in text or "." not in text or _is_address(text):
            return ""
        try:
            return domain_clue(parse_domain(text))
        except AddressError:
            return ""

    def words(self) -> list[str]:
        """The words of the subject as the clues have them; words that were pasted encoded are decoded."""
        return folded(decode_words(self.subject[:_PASTED_CHARACTERS].encode(errors="replace"))).split()[
            :_WORDS
        ]

    def network(self) -> IPv4Network | IPv6Network | None:
        """Where the client is; raises ValueError when that is no address and no network."""
        return ip_network(self.client.strip(" []"), strict=False) if self.client else None


def _forms(text: str) -> list[str]:
    """Addresses with domains in A-labels; with a display name, the address alone."""
    found = [
        mailbox.address for mailbox in parse_mailboxes(text[:_PASTED_CHARACTERS].encode(errors="replace"))
    ]
    try:
        found.append(parse_address(text.strip(" <>")))
    except AddressError:
        pass
    return [str(address.folded()) for address in found if address]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
