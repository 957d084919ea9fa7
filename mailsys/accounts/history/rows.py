"""The rows of ``logins.sqlite3``, as values.  Times are seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Seen:
    """An account has logged in from this network over this service; what is single is of the last time."""

    account: str
    network: str
    service: str
    first: float
    last: float
    logins: int
    address: str
    mechanism: str
    tls: str
    program: str


@dataclass(slots=True)
class Failures:
    """Logins that failed for one reason; ``account`` is empty when there is none of that ``name``."""

    account: str
    network: str
    service: str
    why: str
    first: float
    last: float
    failures: int
    address: str
    mechanism: str
    name: str


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """``kind`` is account, address or network; ``name`` is what was tried last."""

    kind: str
    subject: str
    since: float
    until: float
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """What an operator asks of the server: to forgive an account, address or network, or to forget one."""

    kind: str
    subject: str
