"""``agent.toml``: the accounts that somebody reads, so that they need not be named each time.

::

    [[account]]
    address = "ann@example.org"
    imap = "mail.example.org:993"                # or pop3 = "…"
    password_command = ["pass", "mail/ann"]      # its first line is the password
"""
# ruff: noqa: RUF009 - setting() and sections() are dataclasses.field() in other words

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from mailsys.agent.account import IMPLICIT_PORTS, Protocol, Security
from mailsys.config.load import read_toml
from mailsys.config.mistake import ConfigurationError, Mistake
from mailsys.config.settings import PATH, TEXT, TEXTS, Kind, Wrong, one_of, sections, setting
from mailsys.config.tables import TableReader

Server = tuple[str, int]  # name or address, and port

_SERVER = re.compile(r"(?:\[(?P<bracketed>[^]]+)\]|(?P<plain>[^:\[\]\s]+)):(?P<port>[0-9]{1,5})")


def read_server(value: object) -> Server:
    """``HOST:PORT``, where HOST may be an IPv6 address in brackets; raises Wrong."""
    found = _SERVER.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < int(found["port"]) < 65536:
        raise Wrong("is not HOST:PORT", 'write it as in "mail.example.org:993"')
    return found["bracketed"] or found["plain"], int(found["port"])


def _read_wished(value: object) -> Server | None:
    return read_server(value) if value else None


SERVER: Kind[Server | None] = Kind(_read_wished, lambda server: f"{server[0]}:{server[1]}" if server else "")
TLS = one_of("", *(security.value for security in Security))


@dataclass(frozen=True, slots=True)
class ConfiguredAccount:
    """One ``[[account]]``.  ``login`` is what to log in with where that is not the address.

    ``trust`` is a file of certificates to trust besides the system's.
    """

    address: str = setting(TEXT)
    imap: Server | None = setting(SERVER, "")
    pop3: Server | None = setting(SERVER, "")
    tls: str = setting(TLS, "")
    login: str = setting(TEXT, "")
    trust: str = setting(PATH, "")
    password_command: tuple[str, ...] = setting(TEXTS, [])

    @property
    def server(self) -> tuple[Protocol, str, int] | None:
        """Where to read; None when that is not said, or said twice."""
        if (self.imap is None) == (self.pop3 is None):
            return None
        protocol = Protocol.IMAP if self.imap else Protocol.POP3
        host, port = self.imap or self.pop3 or ("", 0)
        return protocol, host, port

    @property
    def security(self) -> Security:
        """When TLS begins."""
        if self.tls:
            return Security(self.tls)
        server = self.server
        return Security.IMPLICIT if server and server[2] in IMPLICIT_PORTS else Security.STARTTLS


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """The whole file."""

    account: tuple[ConfiguredAccount, ...] = sections(ConfiguredAccount)


def read_accounts(path: str) -> tuple[ConfiguredAccount, ...]:
    """The accounts of a file; raises ConfigurationError with every mistake that it has."""
    reader = TableReader(os.path.dirname(path))
    accounts = reader.read(AccountsFile, read_toml(path)).account
    told = {mistake.key for mistake in reader.mistakes}
    for number, account in enumerate(accounts, 1):
        key = f"account[{number}]"
        if account.server is None and not told & {f"{key}.imap", f"{key}.pop3"}:
            right = 'write one of imap = "HOST:PORT" and pop3 = "HOST:PORT"'
            reader.mistakes.append(Mistake(key, "", "has not one server", right))
    if reader.mistakes:
        raise ConfigurationError(path, reader.mistakes)
    return accounts
