"""The accounts as the server asks for them: in the reactor's thread, several times a message.

Answers are kept in memory until another process or thread has changed the file, which is looked
up at most every 50 ms; so an answer costs a few microseconds, and a change made by a command is
seen within a moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.accounts import queries
from mailsys.accounts.credentials import Credential
from mailsys.interfaces import Account, DirectoryUnavailable, IDirectory
from mailsys.message.address import Address
from mailsys.sqlite import open_reader

CHECK_SECONDS = 0.05
BUSY_SECONDS = 0.03  # we are in the reactor's thread; with WAL a reader waits for nobody
MOST_ANSWERS = 20_000  # strangers ask for names that nobody has; all is forgotten when it is too much

T = TypeVar("T")
Question = Callable[..., T]

_log = Logger()


@implementer(IDirectory)
class Directory:
    """Reads ``accounts.sqlite3`` at ``path``, which ``open_database`` has made.

    The file is changed in place and never replaced while this is open.
    """

    def __init__(self, path: str, clock: IReactorTime) -> None:
        self._path = path
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._answers: dict[tuple[Question[Any], str | Address], Any] = {}
        self._version = 0
        self._checked: float | None = None

    async def is_local(self, domain: str) -> bool:
        """Is this domain ours?"""
        return self._remembered(queries.has_domain, domain)

    async def account(self, address: Address) -> Account | None:
        """The account of exactly this address."""
        return self._remembered(queries.account, address)

    async def alias(self, address: Address) -> Sequence[Address] | None:
        """The targets of exactly this alias."""
        return self._remembered(queries.alias, address)

    async def postmaster(self, domain: str) -> Account | None:
        """Who gets postmaster's mail when nobody has that name."""
        return self._remembered(queries.postmaster, domain)

    async def first_domain(self) -> str | None:
        """The domain that was added first."""
        return self._remembered(_first_domain, "")

    async def domains(self) -> Sequence[str]:
        """All domains, in the order in which they were added."""
        return self._remembered(_domains, "")

    async def password(self, address: Address) -> Credential | None:
        """What a password is compared with; always read anew, and not kept in memory."""
        return self._asked(queries.password, address)

    async def scram_keys(self, address: Address) -> str | None:
        """What a SCRAM proof is compared with, if the account may log in; not kept in memory either."""
        return self._asked(queries.scram_keys, address)

    def stamp(self, address: Address) -> str:
        """What stays the same as long as a login is good; empty if there can be none."""
        return self._remembered(queries.stamp, address)

    def all_have_scram_keys(self, beginning: str) -> bool:
        """Has every account that may log in SCRAM keys that begin so?"""
        return self._remembered(queries.all_have_scram_keys, beginning)

    def close(self) -> None:
        """Give the file back; a later question opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._checked = None
        self._answers.clear()

    def _remembered(self, question: Question[T], about: str | Address) -> T:
        self._forget_what_is_old()
        key = (question, about)
        try:
            known: T = self._answers[key]
        except KeyError:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            known = self._answers[key] = self._asked(question, about)
        return known

    def _asked(self, question: Question[T], about: str | Address) -> T:
        try:
            return question(self._open(), about)
        except (sqlite3.Error, ValueError) as error:
            raise self._unavailable(error) from error

    def _forget_what_is_old(self) -> None:
        now = self._clock.seconds()
        if self._checked is not None and 0 <= now - self._checked < CHECK_SECONDS:
            return
        try:
            version = int(self._open().execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        if version != self._version:
            self._answers.clear()
            self._version = version
        self._checked = now

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_reader(self._path, BUSY_SECONDS)
        return self._connection

    def _unavailable(self, error: Exception) -> DirectoryUnavailable:
        _log.error("The accounts cannot be read from {path}: {error}", path=self._path, error=error)
        self.close()
        return DirectoryUnavailable(str(error))


def _first_domain(connection: sqlite3.Connection, _about: str) -> str | None:
    return queries.first_domain(connection)


def _domains(connection: sqlite3.Connection, _about: str) -> tuple[str, ...]:
    return queries.domains(connection)
