"""What is asked of ``accounts.sqlite3``, by index, for one address or domain at a time.

The commands ask through :class:`~mailsys.accounts.database.Database`, the server through
:class:`~mailsys.accounts.directory.Directory`.  Addresses are folded by the caller.
"""

from __future__ import annotations

import sqlite3

from mailsys.accounts.credentials import Credential
from mailsys.interfaces import Account
from mailsys.message.address import Address, parse_address

CATCH_ALL = "*"  # the local part of the alias that gets what nobody else has


def has_domain(connection: sqlite3.Connection, name: str) -> bool:
    """Is this domain ours?"""
    return connection.execute("SELECT 1 FROM domains WHERE name = ?", (name,)).fetchone() is not None


def first_domain(connection: sqlite3.Connection) -> str | None:
    """The domain that was added first."""
    row = connection.execute("SELECT name FROM domains ORDER BY rowid LIMIT 1").fetchone()
    return str(row[0]) if row else None


def domains(connection: sqlite3.Connection) -> tuple[str, ...]:
    """All domains, in the order in which they were added."""
    return tuple([str(name) for (name,) in connection.execute("SELECT name FROM domains ORDER BY rowid")])


def account(connection: sqlite3.Connection, address: Address) -> Account | None:
    """The account of exactly this address."""
    row = connection.execute(
        "SELECT quota_bytes, active FROM accounts WHERE domain = ? AND local_part = ?",
        (address.domain, address.local_part),
    ).fetchone()
    return Account(address, row[0], bool(row[1])) if row else None


def alias(connection: sqlite3.Connection, address: Address) -> tuple[Address, ...] | None:
    """The targets of exactly this alias, in their order."""
    rows = connection.execute(
        "SELECT target FROM aliases WHERE domain = ? AND local_part = ? ORDER BY position",
        (address.domain, address.local_part),
    ).fetchall()
    return tuple(parse_address(target) for (target,) in rows) or None


def password(connection: sqlite3.Connection, address: Address) -> Credential | None:
    """What a password for this account is compared with; None without account or password."""
    row = connection.execute(
        "SELECT kind, value FROM credentials JOIN accounts ON accounts.id = credentials.account"
        " WHERE domain = ? AND local_part = ? AND kind <> 'scram-sha-256'",
        (address.domain, address.local_part),
    ).fetchone()
    return Credential(*row) if row else None


def stamp(connection: sqlite3.Connection, address: Address) -> str:
    """What changes with the password, and when the account is disabled; empty while it may not log in."""
    row = connection.execute(
        "SELECT id, epoch FROM accounts WHERE domain = ? AND local_part = ? AND active",
        (address.domain, address.local_part),
    ).fetchone()
    return f"{row[0]}.{row[1]}" if row else ""


def scram_keys(connection: sqlite3.Connection, address: Address) -> str | None:
    """The SCRAM keys of an account that may log in, as they are stored."""
    row = connection.execute(
        "SELECT value FROM credentials JOIN accounts ON accounts.id = credentials.account"
        " WHERE domain = ? AND local_part = ? AND kind = 'scram-sha-256' AND active",
        (address.domain, address.local_part),
    ).fetchone()
    return str(row[0]) if row else None


def all_have_scram_keys(connection: sqlite3.Connection, beginning: str) -> bool:
    """Has every account that may log in SCRAM keys that begin so?"""
    row = connection.execute(
        "SELECT 1 FROM accounts WHERE active AND NOT EXISTS (SELECT 1 FROM credentials"
        " WHERE account = accounts.id AND kind = 'scram-sha-256' AND value LIKE ? || '%') LIMIT 1",
        (beginning,),
    ).fetchone()
    return row is None


def postmaster(connection: sqlite3.Connection, domain: str) -> Account | None:
    """Who gets postmaster's mail when nobody has that name: the domain's first account, or anybody's."""
    row = connection.execute(
        "SELECT local_part, domain, quota_bytes, active FROM accounts"
        " ORDER BY domain <> ?, active DESC, id LIMIT 1",
        (domain,),
    ).fetchone()
    return Account(Address(row[0], row[1]), row[2], bool(row[3])) if row else None
