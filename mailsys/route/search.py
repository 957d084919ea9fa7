"""What one recipient led to so far, and the bounds of that: aliases name aliases, and so on.

A few aliases of aliases can name each other in millions of ways, so each address is followed once,
and the way on which it was met first is the one that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailsys.interfaces import Account, Refused, Route, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.reply import Reply

ALIAS_DEPTH = 10  # aliases in a row
MOST_ADDRESSES = 1000  # that one recipient may lead to: 40 ms when nothing is in memory
MOST_WORDS = 50  # sentences about the way, which go into the journal with every message
MOST_NAMED = 10  # addresses in one sentence

Path = tuple[Address, ...]


@dataclass(slots=True)
class Search:
    """Everything found for one recipient."""

    accounts: dict[Address, Account] = field(default_factory=dict)
    outside: dict[Address, None] = field(default_factory=dict)  # a set that keeps its order
    is_caught: bool = False  # by a catch-all, and at its first step
    objection: Reply | None = None  # then the search is over
    _via: list[str] = field(default_factory=list)
    _followed: set[Address] = field(default_factory=set)

    def begin(self, address: Address, path: Path) -> bool:
        """Is this address still to be followed?  ``path`` holds the aliases that led to it."""
        if self.objection is not None:
            return False
        if address in path:
            circle = (*path[path.index(address) :], address)
            self._refuse(replies.ALIAS_LOOP, f"the aliases go in a circle: {arrows(circle)}")
        elif address in self._followed:
            return False
        elif len(self._followed) >= MOST_ADDRESSES:
            self._refuse(replies.ALIAS_TOO_WIDE, f"it leads to more than {MOST_ADDRESSES} addresses")
        self._followed.add(address)
        return self.objection is None

    def allows_alias(self, path: Path) -> bool:
        """May one more alias follow these?"""
        if len(path) >= ALIAS_DEPTH:
            self._refuse(
                replies.ALIAS_TOO_DEEP, f"more than {ALIAS_DEPTH} aliases in a row: {arrows(path)} …"
            )
        return self.objection is None

    def tell(self, words: str) -> None:
        """One step of the way."""
        if len(self._via) < MOST_WORDS:
            self._via.append(words)
        elif len(self._via) == MOST_WORDS:
            self._via.append("and more")

    def conclude(self) -> Route:
        """What it comes to."""
        via = tuple(self._via)
        if self.objection is not None:
            return Refused(self.objection, via)
        if not self.accounts and not self.outside:
            return Refused(replies.NO_SUCH_USER, via)
        return ToMailboxes(tuple(self.accounts.values()), via, self.is_caught, tuple(self.outside))

    def _refuse(self, reply: Reply, words: str) -> None:
        self.objection = reply
        self._via.append(words)


def listed(addresses: Sequence[Address]) -> str:
    """The first of them by name."""
    more = len(addresses) - MOST_NAMED
    names = ", ".join(map(str, addresses[:MOST_NAMED]))
    return f"{names} and {more} more" if more > 0 else names


def arrows(path: Path) -> str:
    """One alias leads to the next."""
    return " → ".join(map(str, path))
