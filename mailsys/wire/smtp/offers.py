"""What a server's EHLO or LHLO offers (RFC 5321 4.1.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailsys.message.reply import Reply

# ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
_KEYWORD = re.compile(r"[A-Z0-9][A-Z0-9-]{0,63}")
_NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Offers:
    """Keywords in upper case with the words that follow each; ``name`` is what the server calls itself."""

    name: str = ""
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def chunking(self) -> bool:
        """May BDAT be used?  Without PIPELINING each chunk would wait for its reply, so DATA is as good."""
        return "CHUNKING" in self and "PIPELINING" in self  # RFC 3030 2

    @property
    def size_limit(self) -> int | None:
        """The largest message in octets, None without a limit (RFC 1870 4)."""
        words = self.keywords.get("SIZE", ())
        limit = int(words[0]) if words and _NUMBER.fullmatch(words[0]) else 0
        return limit or None

    @property
    def recipient_limit(self) -> int | None:
        """How many recipients one message may have (RFC 9422 4), None when that is not said."""
        for word in self.keywords.get("LIMITS", ()):
            name, _equals, number = word.partition("=")
            if name.upper() == "RCPTMAX" and _NUMBER.fullmatch(number):
                return max(1, int(number))
        return None

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Mechanisms of AUTH, in upper case (RFC 4954 3)."""
        return tuple(word.upper() for word in self.keywords.get("AUTH", ()))


def parse_offers(reply: Reply) -> Offers:
    """Read the reply to EHLO or LHLO; what is no offer is passed over, of two alike the first counts."""
    name, *lines = reply.text.split("\n")
    keywords: dict[str, tuple[str, ...]] = {}
    for line in lines:
        keyword, *words = line.split() or [""]
        if _KEYWORD.fullmatch(keyword.upper()):
            keywords.setdefault(keyword.upper(), tuple(words))
    return Offers(name.split(" ")[0], keywords)
