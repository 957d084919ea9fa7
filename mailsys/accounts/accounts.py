"""The accounts: who has a mailbox, and what is stored of the password."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

from mailsys.accounts import queries
from mailsys.accounts.connection import AccountsError, Transactions
from mailsys.accounts.credentials import Credential
from mailsys.accounts.domains import demand_domain
from mailsys.interfaces import Account
from mailsys.message.address import Address


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be, with what is stored of its password."""

    address: Address
    credentials: Sequence[Credential]
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account; ``created`` is in seconds since 1970."""

    account: Account
    created: int
    has_foreign_password: bool


class Accounts:
    """The tables of accounts and credentials; addresses are folded here."""

    def __init__(self, transactions: Transactions, now: Callable[[], float]) -> None:
        self._transactions = transactions
        self._now = now

    def all(self, domain: str | None = None) -> list[ListedAccount]:
        """All accounts, or those of one domain, by domain and name."""
        with self._transactions.reading() as connection:
            if domain is not None:
                demand_domain(connection, domain)
            rows = connection.execute(
                "SELECT local_part, domain, quota_bytes, active, created, EXISTS"
                " (SELECT 1 FROM credentials WHERE account = accounts.id AND kind = 'foreign')"
                " FROM accounts WHERE domain = ?1 OR ?1 IS NULL ORDER BY domain, local_part",
                (domain,),
            )
            return [_listed(*row) for row in rows]

    def get(self, address: Address) -> Account | None:
        """The account of exactly this address."""
        with self._transactions.reading() as connection:
            return queries.account(connection, address.folded())

    def password(self, address: Address) -> Credential | None:
        """What a password for this account is compared with."""
        with self._transactions.reading() as connection:
            return queries.password(connection, address.folded())

    def postmaster(self, domain: str) -> Account | None:
        """Who gets postmaster's mail when nobody has that name."""
        with self._transactions.reading() as connection:
            return queries.postmaster(connection, domain)

    def demand_free(self, address: Address) -> None:
        """Raise AccountsError unless an account of this address can be added."""
        with self._transactions.reading() as connection:
            _demand_free(connection, address.folded())

    def add(self, accounts: Iterable[NewAccount]) -> None:
        """Add all of them, or none."""
        with self._transactions.changing() as connection:
            for account in accounts:
                self._add(connection, account)

    def _add(self, connection: Connection, new: NewAccount) -> None:
        address = new.address.folded()
        _demand_free(connection, address)
        connection.execute(
            "INSERT INTO accounts (local_part, domain, quota_bytes, created, epoch)"
            " VALUES (?, ?, ?, ?, random())",
            (address.local_part, address.domain, new.quota_bytes, int(self._now())),
        )
        _store(connection, _id(connection, address), new.credentials)

    def remove(self, address: Address) -> None:
        """Forget the account and its password; its mail is not touched."""
        with self._transactions.changing() as connection:
            connection.execute("DELETE FROM accounts WHERE id = ?", (_id(connection, address),))

    def set_password(self, address: Address, credentials: Sequence[Credential]) -> None:
        """From now on only this password is right, and who came in with another must go."""
        with self._transactions.changing() as connection:
            account = _id(connection, address)
            _store(connection, account, credentials)
            connection.execute("UPDATE accounts SET epoch = random() WHERE id = ?", (account,))

    def renew_password(self, address: Address, old: Credential, credentials: Sequence[Credential]) -> bool:
        """Store the same password in another way; False if it was changed since ``old`` was read."""
        with self._transactions.changing() as connection:
            if queries.password(connection, address.folded()) != old:
                return False
            _store(connection, _id(connection, address), credentials)
            return True

    def set_quota(self, address: Address, quota_bytes: int | None) -> None:
        """Limit the size of the mailbox; None for no limit."""
        with self._transactions.changing() as connection:
            values = (quota_bytes, _id(connection, address))
            connection.execute("UPDATE accounts SET quota_bytes = ? WHERE id = ?", values)

    def set_active(self, address: Address, active: bool) -> None:
        """Let its owner log in, or not; its mail is received all the same.  Who is logged in must go."""
        with self._transactions.changing() as connection:
            values = (active, _id(connection, address))
            connection.execute("UPDATE accounts SET active = ?, epoch = random() WHERE id = ?", values)


def _demand_free(connection: Connection, address: Address) -> None:
    demand_domain(connection, address.domain)
    if address.local_part == queries.CATCH_ALL:
        raise AccountsError(f"{address} is the catch-all; make it with 'mailsys alias add'.")
    if queries.account(connection, address):
        raise AccountsError(f"The account {address} exists already.")
    if queries.alias(connection, address) is not None:
        raise AccountsError(f"{address} is an alias; remove it first with 'mailsys alias remove {address}'.")


def _listed(
    local_part: str, domain: str, quota_bytes: int | None, active: int, created: int, foreign: int
) -> ListedAccount:
    account = Account(Address(local_part, domain), quota_bytes, bool(active))
    return ListedAccount(account, created, bool(foreign))


def _id(connection: Connection, address: Address) -> int:
    address = address.folded()
    row = connection.execute(
        "SELECT id FROM accounts WHERE domain = ? AND local_part = ?", (address.domain, address.local_part)
    ).fetchone()
    if row is None:
        raise AccountsError(f"There is no account {address}.")
    return int(row[0])


def _store(connection: Connection, account: int, credentials: Sequence[Credential]) -> None:
    connection.execute("DELETE FROM credentials WHERE account = ?", (account,))
    connection.executemany(
        "INSERT INTO credentials (account, kind, value) VALUES (?, ?, ?)",
        [(account, credential.kind, credential.value) for credential in credentials],
    )
