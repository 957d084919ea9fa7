"""One organisation's mail host: a real mailsys in a directory and a process of its own.

It is made and run through the command line alone, as an organisation would do it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

from mailsys.lab.child import Child
from mailsys.lab.failure import LabFailed
from mailsys.lab.organisation import Organisation

START_SECONDS = 30.0
COMMAND_SECONDS = 60.0
SERVICES = ("smtp", "submission", "pop3", "imap")


class Host(Child):
    """``directory`` holds all that is the host's; whoever starts it calls ``stop``.

    ``program`` is what Python runs as the server: mailsys itself, unless something is to be put around it.
    """

    def __init__(self, organisation: Organisation, directory: Path) -> None:
        super().__init__(organisation.hostname, directory / "serve.log")
        self.organisation = organisation
        self.directory = directory
        self.config = directory / "mailsys.toml"
        self.program: tuple[str, ...] = ("-m", "mailsys")

    @property
    def certificate(self) -> Path:
        """What a client trusts to recognise this host: its own self-signed certificate."""
        return self.directory / "tls" / "cert.pem"

    def make(self, *options: str) -> None:
        """Write the configuration, and give each person an account; ``options`` are for ``mailsys init``."""
        where = self.organisation
        self._mailsys(
            "init", str(self.directory), "--domain", where.domain, "--hostname", where.hostname,
            "--port-base", str(where.port_base), "--listen", where.address, *options,
        )  # fmt: skip
        accounts = "".join(f"{person.address}:{{PLAIN}}{person.password}\n" for person in where.people)
        self.run("account", "import", "-", told=accounts)

    def set(self, table: str, *lines: str) -> None:
        """Put settings at the head of a table of the configuration; the next start reads them."""
        text, head = self.config.read_text(), f"\n[{table}]\n"
        if head not in text:
            text += head
        self.config.write_text(text.replace(head, head + "".join(f"{line}\n" for line in lines), 1))

    def run(self, *arguments: str, told: str = "") -> str:
        """Run ``mailsys --config … arguments`` with ``told`` on standard input; return what it printed."""
        return self._mailsys("--config", str(self.config), *arguments, told=told)

    def _mailsys(self, *arguments: str, told: str = "") -> str:
        try:
            result = subprocess.run(
                [sys.executable, "-m", "mailsys", *arguments],
                input=told, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LabFailed(f"'mailsys {arguments[-1]}' took over {COMMAND_SECONDS:.0f} s.") from None
        if result.returncode:
            raise LabFailed(f"'mailsys {' '.join(arguments)}' failed:\n{result.stderr.strip()}")
        return result.stdout

    def start(self) -> None:
        """Begin to serve; ``wait_until_ready`` tells when it does."""
        self.begin([*self.program, "--config", str(self.config), "serve"])

    def wait_until_ready(self, services: tuple[str, ...] = SERVICES, seconds: float = START_SECONDS) -> None:
        """Return when the services greet; raises LabFailed with the log's end."""
        deadline = time.monotonic() + seconds
        while not self.is_ready(services):
            self.check_alive()
            if time.monotonic() > deadline:
                raise self.failed(f"did not greet on {' and '.join(services)} in {seconds:.0f} s")
            time.sleep(0.05)

    def is_ready(self, services: tuple[str, ...] = SERVICES) -> bool:
        """Does it greet on all of them?"""
        return all(map(self._greets, services))

    def _greets(self, service: str) -> bool:
        where = self.organisation
        try:
            with socket.create_connection((where.address, where.port(service)), timeout=5) as connection:
                return bool(connection.recv(1))
        except OSError:
            return False
