"""The aliases: addresses that stand for others.  ``*@domain`` catches what else nobody has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from mailsys.accounts import queries
from mailsys.accounts.connection import AccountsError, Transactions
from mailsys.accounts.domains import demand_domain
from mailsys.message.address import Address, parse_address

Targets = tuple[Address, ...]


class Aliases:
    """The table of aliases; addresses of ours are folded here, those of others stay as they are written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def all(self, domain: str | None = None) -> dict[Address, Targets]:
        """All aliases with their targets, or those of one domain."""
        with self._transactions.reading() as connection:
            if domain is not None:
                demand_domain(connection, domain)
            rows = connection.execute(
                "SELECT local_part, domain, target FROM aliases"
                " WHERE domain = ?1 OR ?1 IS NULL ORDER BY domain, local_part, position",
                (domain,),
            )
            found: dict[Address, Targets] = {}
            for local_part, its_domain, target in rows:
                address = Address(local_part, its_domain)
                found[address] = (*found.get(address, ()), parse_address(target))
            return found

    def get(self, address: Address) -> Targets | None:
        """The targets of exactly this alias."""
        with self._transactions.reading() as connection:
            return queries.alias(connection, address.folded())

    def add(self, address: Address, targets: Sequence[Address]) -> Targets:
        """Add targets to an alias, made if it is not there; returns those that are really new."""
        address = address.folded()
        with self._transactions.changing() as connection:
            demand_domain(connection, address.domain)
            if queries.account(connection, address):
                raise AccountsError(f"{address} is an account; an alias needs an address of its own.")
            present = queries.alias(connection, address) or ()
            known = {target.folded() for target in present}
            added = {target.folded(): target for target in targets if target.folded() not in known}
            _store(connection, address, [*present, *(_kept(connection, t) for t in added.values())])
            return tuple(added.values())

    def remove(self, address: Address, targets: Sequence[Address] = ()) -> None:
        """Remove an alias, or only some of its targets; without any left it is gone."""
        address = address.folded()
        with self._transactions.changing() as connection:
            present = queries.alias(connection, address)
            if present is None:
                raise AccountsError(f"There is no alias {address}.")
            unwanted = {target.folded() for target in targets or present}
            if missing := unwanted - {target.folded() for target in present}:
                raise AccountsError(f"The alias {address} has no target {missing.pop()}.")
            _store(connection, address, [target for target in present if target.folded() not in unwanted])


def leading_to(wanted: Address, aliases: Mapping[Address, Targets]) -> list[Address]:
    """This address and all aliases that lead to it by name, the nearest first."""
    named_by: dict[Address, list[Address]] = {}
    for alias, targets in aliases.items():
        for target in targets:
            named_by.setdefault(target.folded(), []).append(alias)
    found = {wanted: None}  # a set that keeps its order
    waiting = [wanted]
    for address in waiting:
        new = [alias for alias in named_by.get(address, ()) if alias not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return waiting


def _kept(connection: Connection, target: Address) -> Address:
    return target.folded() if queries.has_domain(connection, target.domain) else target


def _store(connection: Connection, address: Address, targets: Sequence[Address]) -> None:
    key = (address.domain, address.local_part)
    connection.execute("DELETE FROM aliases WHERE domain = ? AND local_part = ?", key)
    connection.executemany(
        "INSERT INTO aliases (domain, local_part, position, target) VALUES (?, ?, ?, ?)",
        [(*key, position, str(target)) for position, target in enumerate(targets)],
    )
