"""Addresses that somebody may have meant, for the operator only: strangers must not learn who is here."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from difflib import get_close_matches

from mailsys.accounts.queries import CATCH_ALL
from mailsys.message.address import Address
from mailsys.sqlite import open_reader

BUSY_SECONDS = 5.0
MOST_NAMES = 20_000  # Each is compared; so many take half a second.


def near_addresses(path: str, address: Address, limit: int = 3) -> list[Address]:
    """The nearest accounts and aliases, the best first; raises sqlite3.Error.

    ``path`` is the accounts' file.
    """
    address = address.folded()
    with closing(open_reader(path, BUSY_SECONDS)) as connection:
        domains = [name for (name,) in connection.execute("SELECT name FROM domains LIMIT ?", (MOST_NAMES,))]
        for domain in _near(address.domain, domains, limit):
            rows = connection.execute(
                "SELECT local_part FROM accounts WHERE domain = ?1"
                " UNION SELECT local_part FROM aliases WHERE domain = ?1 LIMIT ?2",
                (domain, MOST_NAMES),
            )
            names = [name for (name,) in rows if name != CATCH_ALL]
            if found := _near(address.local_part, names, limit):
                return [Address(name, domain) for name in found if Address(name, domain) != address]
    return []


def _near(wanted: str, known: Iterable[str], limit: int) -> list[str]:
    """Exactly this one, or those that differ in little."""
    names = list(known)
    return [wanted] if wanted in names else get_close_matches(wanted, names, limit)
