"""What ``mailsys init`` tells a person when the new host is made."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from mailsys.control.first_configuration import FirstConfiguration
from mailsys.message.address import display_domain


def next_steps(folder: str, first: FirstConfiguration, domains: Sequence[str]) -> str:
    """Sentences and commands, in the order in which they are needed."""
    path = os.path.join(folder, "mailsys.toml")
    command = f"mailsys --config {shlex.quote(path)}"
    names = " and ".join(map(display_domain, domains))
    return "\n".join(
        [
            f"A mail host for {names} is in {folder}.  Next:",
            "",
            "1. Give somebody an account:",
            f"     {command} account add postmaster@{display_domain(domains[0])}",
            "2. Start the server:",
            f"     {command} serve",
            *(_try_it(first) if first.port_base else _publish(first, domains)),
            "",
            f"The settings are in {path}; after changing them:",
            f"     {command} config check",
        ]
    )


def _try_it(first: FirstConfiguration) -> Iterator[str]:
    host = f"[{first.address}]" if ":" in first.address else first.address
    ports = {"SMTP": 25, "POP3": 110, "POP3 with TLS": 995, "LMTP": 24}
    yield "3. Try it, with the name and password of the account:"
    for name, port in ports.items():
        yield f"     {name:<14} {host if name != 'LMTP' else first.loopback}:{first.port_base + port}"


def _publish(first: FirstConfiguration, domains: Sequence[str]) -> Iterator[str]:
    yield "3. Tell the world, with these lines in the DNS:"
    for domain in domains:
        yield f"     {domain}.  MX  10 {first.hostname}."
    yield f"     {first.hostname}.  A   {first.address or '(the address of this host)'}"
    yield f"   and have your provider let that address point back to {first.hostname}."
    yield "4. Get a certificate that others trust, and name it in the configuration below [tls];"
    yield "   until then it is one that this host made itself, and mail programs will ask."
