"""The domains that are ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection

from mailsys.accounts import queries
from mailsys.accounts.connection import AccountsError, Transactions
from mailsys.message.address import display_domain


@dataclass(frozen=True, slots=True)
class ListedDomain:
    """A domain in A-labels, and how much belongs to it."""

    name: str
    accounts: int
    aliases: int


class Domains:
    """The table of domains; names are A-labels, as ``parse_domain`` gives them."""

    def __init__(self, transactions: Transactions, now: Callable[[], float]) -> None:
        self._transactions = transactions
        self._now = now

    def all(self) -> list[ListedDomain]:
        """All domains, in the order in which they were added."""
        with self._transactions.reading() as connection:
            rows = connection.execute(
                "SELECT name, (SELECT COUNT(*) FROM accounts WHERE domain = name),"
                " (SELECT COUNT(DISTINCT local_part) FROM aliases WHERE domain = name)"
                " FROM domains ORDER BY rowid"
            )
            return [ListedDomain(*row) for row in rows]

    def has(self, name: str) -> bool:
        """Is this domain ours?"""
        with self._transactions.reading() as connection:
            return queries.has_domain(connection, name)

    def add(self, name: str) -> None:
        """Take mail for this domain from now on."""
        with self._transactions.changing() as connection:
            if queries.has_domain(connection, name):
                raise AccountsError(f"The domain {display_domain(name)} exists already.")
            connection.execute("INSERT INTO domains (name, created) VALUES (?, ?)", (name, int(self._now())))

    def remove(self, name: str, *, with_contents: bool = False) -> None:
        """Forget a domain; one that has accounts or aliases only ``with_contents``."""
        with self._transactions.changing() as connection:
            demand_domain(connection, name)
            if not with_contents and (contents := _contents(connection, name)):
                raise AccountsError(f"The domain {display_domain(name)} still has {contents}.")
            connection.execute("DELETE FROM accounts WHERE domain = ?", (name,))
            connection.execute("DELETE FROM aliases WHERE domain = ?", (name,))
            connection.execute("DELETE FROM domains WHERE name = ?", (name,))


def demand_domain(connection: Connection, name: str) -> None:
    """Raise AccountsError unless the domain is ours."""
    if not queries.has_domain(connection, name):
        shown = display_domain(name)
        raise AccountsError(f"The domain {shown} is not ours; add it with 'mailsys domain add {shown}'.")


def _contents(connection: Connection, name: str) -> str:
    """What belongs to the domain, in words; empty if nothing does."""
    accounts, aliases = connection.execute(
        "SELECT (SELECT COUNT(*) FROM accounts WHERE domain = ?1),"
        " (SELECT COUNT(DISTINCT local_part) FROM aliases WHERE domain = ?1)",
        (name,),
    ).fetchone()
    counts = ((accounts, "account", "accounts"), (aliases, "alias", "aliases"))
    return " and ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)
