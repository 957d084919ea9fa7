"""``accounts.sqlite3`` for those who change it: the commands, and logins that renew a hash.

Every change is one transaction, synced before its method returns, and seen by a running server
within a moment.  What cannot be done raises :class:`AccountsError`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mailsys.accounts.accounts import Accounts
from mailsys.accounts.aliases import Aliases
from mailsys.accounts.connection import FILE_NAME, AccountsError, Transactions, connect
from mailsys.accounts.domains import Domains
from mailsys.message.address import Address

__all__ = ["FILE_NAME", "AccountsError", "Database", "open_database"]

POSTMASTER = "postmaster"


class Database:
    """One connection, for the thread that opened it: ``domains``, ``accounts`` and ``aliases``."""

    def __init__(self, transactions: Transactions, now: Callable[[], float]) -> None:
        self._transactions = transactions
        self.domains = Domains(transactions, now)
        self.accounts = Accounts(transactions, now)
        self.aliases = Aliases(transactions)

    def close(self) -> None:
        """Give the file back."""
        self._transactions.connection.close()

    def postmaster(self, domain: str) -> Address | None:
        """To whom postmaster's mail goes: who has that name, or the first account; None without accounts."""
        named = Address(POSTMASTER, domain)
        if self.accounts.get(named) or self.aliases.get(named):
            return named
        account = self.accounts.postmaster(domain)
        return account.address if account else None


def open_database(path: str, now: Callable[[], float] = time.time) -> Database:
    """Open the file, making or migrating it as needed; raises AccountsError."""
    return Database(Transactions(connect(path)), now)
