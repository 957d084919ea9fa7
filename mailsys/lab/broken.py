"""Hosts of the lab that do not do as they should, each with a domain of its own to write to.

This is who they are and how they are found; ``brokenserver`` is what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailsys.lab.child import Child
from mailsys.lab.names import TTL

START_SECONDS = 30.0
READY = "The broken hosts listen"  # what the process prints as soon as they do
FIRST_NUMBER = 101  # the last part of the first address


@dataclass(frozen=True, slots=True)
class Broken:
    """A host that takes mail for its domain, but for what is said here; ``words`` tell a person.

    ``answers`` stand in place of the good ones: by verb, GREETING or MESSAGE.  ``puts_off`` is how many
    times each recipient is told to come later.  ``records`` stand in place of the MX and its address;
    in them DOMAIN and ADDRESS are the host's.
    """

    name: str
    words: str
    answers: Mapping[str, str] = field(default_factory=dict)
    records: tuple[str, ...] = ("DOMAIN MX 10 mail.DOMAIN.", "mail.DOMAIN A ADDRESS")
    listens: bool = True
    puts_off: int = 0
    pause_seconds: float = 0.0
    breaks_tls: bool = False
    closes_in_data: bool = False

    @property
    def domain(self) -> str:
        """Where to write to."""
        return f"{self.name}.test"

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.1.{FIRST_NUMBER + [one.name for one in BROKEN].index(self.name)}"


_STEPS = {
    "greeting": ("GREETING",),
    "ehlo": ("EHLO", "HELO"),
    "mail": ("MAIL",),
    "rcpt": ("RCPT",),
    "data": ("DATA",),
    "message": ("MESSAGE",),
}


def _at_each_step(family: str, words: str, answer: str) -> Iterator[Broken]:
    for step, verbs in _STEPS.items():
        yield Broken(f"{family}-{step}", f"{words} at the {step}", dict.fromkeys(verbs, answer))


BROKEN: tuple[Broken, ...] = (
    Broken("down", "is away", listens=False),
    Broken("slow", "takes a second for each answer", pause_seconds=1.0),
    Broken("greylist", "takes mail at the second attempt", puts_off=1),
    Broken("closes", "closes in the middle of a message", closes_in_data=True),
    Broken("badtls", "offers TLS and cannot do it", breaks_tls=True),
    Broken("fallback", "has a first MX that is away, and a second that works", records=(
        "DOMAIN MX 10 mail.down.test.", "DOMAIN MX 20 mail.DOMAIN.", "mail.DOMAIN A ADDRESS")),
    Broken("nomx", "has an address and no MX, and takes mail there", records=("DOMAIN A ADDRESS",)),
    Broken("nullmx", "says in DNS that it takes no mail", records=("DOMAIN MX 0 .",), listens=False),
    Broken("noaddress", "has an MX that has no address", listens=False,
           records=("DOMAIN MX 10 mail.DOMAIN.",)),
    Broken("servfail", "has a DNS that is broken", records=("DOMAIN FAILS",), listens=False),
    *_at_each_step("later", "says 4xx", "451 4.3.2 Not now"),
    *_at_each_step("never", "says 5xx", "550 5.7.1 Not here"),
)  # fmt: skip


def records(one: Broken) -> Iterator[str]:
    """What it has in the lab's DNS, as zone lines."""
    for record in one.records:
        line = record.replace("DOMAIN", one.domain).replace("ADDRESS", one.address)
        name, rest = line.split(None, 1)
        yield line if rest == "FAILS" else f"{name} {TTL} {rest}"


class BrokenHosts(Child):
    """The process in which all of them listen, at the port where the lab has SMTP."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__("The process of the broken hosts", directory / "broken.log")
        self._port = port

    def start(self) -> None:
        """Begin to listen; ``wait_until_ready`` tells when they do."""
        self.begin(["-m", "mailsys.lab.brokenserver", str(self._port)])

    def wait_until_ready(self) -> None:
        """Return when they listen; raises LabFailed with the log's end."""
        self.wait_until_said(READY, START_SECONDS)
