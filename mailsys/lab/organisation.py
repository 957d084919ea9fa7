"""The organisations of the lab: names, people and where on this machine they live.  Touches nothing.

Domains are under ``.test``, which RFC 6761 6.2 keeps out of the real DNS.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.config.ports import STANDARD_PORTS

_CAST = (
    ("alpha", ("ada", "alan")),
    ("beta", ("bea", "ben")),
    ("gamma", ("grace", "gil")),
    ("delta", ("dora", "dan")),
    ("epsilon", ("eva", "emil")),
    ("zeta", ("zoe", "zeno")),
    ("eta", ("hedy", "hal")),
    ("theta", ("thea", "tom")),
)
MOST = len(_CAST)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a mailbox; the password is for show, since the lab lives on loopback alone."""

    address: str
    password: str

    @property
    def name(self) -> str:
        """What stands before the @."""
        return self.address.partition("@")[0]

    @property
    def domain(self) -> str:
        """What stands behind it."""
        return self.address.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Organisation:
    """A domain, its people, and the loopback address and ports of its one host."""

    name: str
    domain: str
    people: tuple[Person, ...]
    address: str
    port_base: int

    @property
    def hostname(self) -> str:
        """The host's own name, for which its certificate is made."""
        return f"mail.{self.domain}"

    def port(self, service: str) -> int:
        """Where a service is: each port is at the base, as ``mailsys init --port-base`` puts it."""
        return self.port_base + STANDARD_PORTS[service]


def organisations(count: int, port_base: int) -> tuple[Organisation, ...]:
    """The first ``count`` of the cast, on 127.0.1.1, 127.0.1.2 and so on, all with the same ports."""
    return tuple(
        Organisation(name, f"{name}.test", _people(name, people), f"127.0.1.{number}", port_base)
        for number, (name, people) in enumerate(_CAST[:count], 1)
    )


def _people(name: str, people: tuple[str, ...]) -> tuple[Person, ...]:
    return tuple(Person(f"{person}@{name}.test", f"{person}-{name}") for person in people)
