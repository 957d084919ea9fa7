"""The DNS of the lab: what each organisation publishes, and the process that answers.

It listens on an address of its own beside the hosts', so that nothing in it looks like a host.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from mailsys.lab.child import Child
from mailsys.lab.host import Host
from mailsys.lab.nameserver import READY
from mailsys.lab.organisation import Organisation

ADDRESS = "127.0.1.53"
TTL = 60
START_SECONDS = 30.0
ASK_SECONDS = 10.0


def published(host: Host, relay: Organisation | None = None) -> Iterator[str]:
    """What ``mailsys domain records`` says, as an organisation would put it into its zone.

    ``relay`` is whose host sends its mail for it; only people know that.
    """
    for line in host.run("domain", "records", host.organisation.domain).splitlines():
        if line.startswith(";"):
            continue
        name, _ttl, rest = line.split(" ", 2)
        if relay is not None:
            rest = rest.replace(" ~all", f" a:{relay.hostname} -all")
        # They are sure of their hosts, so what others write in their names is to be refused.
        rest = rest.replace("v=DMARC1; p=quarantine", "v=DMARC1; p=reject")
        yield f"{name} {TTL} {rest}"


class NameServerProcess(Child):
    """Answers at ``ADDRESS`` and ``port`` from the lines of a zone."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__("The name server", directory / "names.log")
        self.port = port
        self._zone = directory / "names.zone"

    def write(self, lines: Iterable[str]) -> None:
        """Say what stands in DNS; a server that runs takes it over."""
        self._zone.write_text("".join(f"{line}\n" for line in lines))
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
