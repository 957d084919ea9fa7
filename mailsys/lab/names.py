"""The DNS of the lab: what stands in it for each organisation, and the process that answers.

It listens on an address of its own beside the hosts', so that nothing in it looks like a host.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from mailsys.lab.child import Child
from mailsys.lab.nameserver import READY
from mailsys.lab.organisation import Organisation

ADDRESS = "127.0.1.53"
TTL = 60
START_SECONDS = 30.0
ASK_SECONDS = 10.0
NO_RELAYS: Mapping[Organisation, Organisation] = {}


def records(organisation: Organisation, relay: Organisation | None = None) -> Iterator[str]:
    """What an organisation publishes, as zone lines; ``relay`` is whose host sends its mail for it."""
    domain, hostname = organisation.domain, organisation.hostname
    yield f"{domain} {TTL} MX 10 {hostname}."
    yield f"{hostname} {TTL} A {organisation.address}"
    reversed_address = ".".join(reversed(organisation.address.split(".")))
    yield f"{reversed_address}.in-addr.arpa {TTL} PTR {hostname}."
    also = f" a:{relay.hostname}" if relay else ""
    yield f'{domain} {TTL} TXT "v=spf1 mx{also} -all"'


class NameServerProcess(Child):
    """Answers at ``ADDRESS`` and ``port`` for all organisations, and for ``further`` zone lines."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__("The name server", directory / "names.log")
        self.port = port
        self._zone = directory / "names.zone"

    def write(
        self,
        organisations: Sequence[Organisation],
        further: Sequence[str] = (),
        relays: Mapping[Organisation, Organisation] = NO_RELAYS,
    ) -> None:
        """Say what stands in DNS; a server that runs takes it over.  ``relays`` says who sends for whom."""
        lines = [line for one in organisations for line in records(one, relays.get(one))]
        self._zone.write_text("\n".join([*lines, *further, ""]))
        self.signal(signal.SIGHUP)

    def ask(self, name: str, kind: str) -> list[str]:
        """What it says, each record as its zone has it; raises LabFailed."""
        try:
            query = dns.message.make_query(name, kind)
            reply = dns.query.udp(query, ADDRESS, timeout=ASK_SECONDS, port=self.port)
        except (OSError, dns.exception.DNSException) as error:
            raise self.failed(f"did not tell the {kind} of {name}: {error}") from error
        return [str(record) for found in reply.answer for record in found]

    def start(self) -> None:
        """Begin to answer; ``wait_until_ready`` tells when it does."""
        self.begin(["-m", "mailsys.lab.nameserver", ADDRESS, str(self.port), str(self._zone)])

    def wait_until_ready(self) -> None:
        """Return when it answers; raises LabFailed with the log's end."""
        self.wait_until_said(READY, START_SECONDS)
