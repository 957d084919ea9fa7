"""What ``mailsys init`` tells a person when the new host is made."""

from __future__ import annotations

import ipaddress
import os
import shlex
from collections.abc import Iterator, Sequence

from mailsys.config.ports import STANDARD_PORTS
from mailsys.control.first_configuration import FirstConfiguration
from mailsys.message.address import display_domain

_BY_SYSTEMD = "   Or let systemd do it, with etc/mailsys.service and etc/mailsys.socket of mailsys."
_TRIALS = {
    "submission": "Submission",
    "submissions": "… with TLS",
    "pop3": "POP3",
    "pop3s": "… with TLS",
    "imap": "IMAP",
    "imaps": "… with TLS",
    "smtp": "SMTP",
}


def next_steps(folder: str, first: FirstConfiguration, domains: Sequence[str]) -> str:
    """Sentences and commands, in the order in which they are needed."""
    path = os.path.join(folder, "mailsys.toml")
    command = f"mailsys --config {shlex.quote(path)}"
    names = " and ".join(map(display_domain, domains))
    is_trial = bool(first.port_base)
    return "\n".join(
        [
            f"A mail host for {names} is in {folder}.  Next:",
            "",
            "1. Give somebody an account:",
            f"     {command} account add postmaster@{display_domain(domains[0])}",
            "2. Start the server:" if is_trial else "2. Start the server, as root, since it opens port 25:",
            f"     {command} serve",
            *(_try_it(first) if is_trial else [_BY_SYSTEMD, *_publish(first, domains, command)]),
            "",
            f"The settings are in {path}.  After a change, look for mistakes:",
            f"     {command} config check",
        ]
    )


def _try_it(first: FirstConfiguration) -> Iterator[str]:
    host = f"[{first.address}]" if ":" in first.address else first.address
    yield "3. Try it, with the name and password of the account:"
    for name, words in _TRIALS.items():
        yield f"     {words:<14} {host}:{first.port_base + STANDARD_PORTS[name]}"


def _publish(first: FirstConfiguration, domains: Sequence[str], command: str) -> Iterator[str]:
    address = ipaddress.ip_address(first.address or "0.0.0.0")  # noqa: S104 - only compared
    record = "AAAA" if address.version == 6 else "A"
    value = str(address) if address.is_global else "(the address of this host)"
    yield "3. Tell the world, with what this prints and one line more, in the DNS:"
    for domain in domains:
        yield f"     {command} domain records {display_domain(domain)}"
    yield f"     {first.hostname}.  {record}  {value}"
    yield f"   and have your provider let that address point back to {first.hostname}."
    yield "   Whether all is right, 'domain check' tells in place of 'domain records'."
    yield "4. Get a certificate that others trust, for example with certbot and port 80 open to it:"
    yield f"     certbot certonly --standalone -d {first.hostname}"
    yield "   and name it in the configuration below [tls]:"
    yield f'     certificate = "/etc/letsencrypt/live/{first.hostname}/fullchain.pem"'
    yield f'     key = "/etc/letsencrypt/live/{first.hostname}/privkey.pem"'
    yield "   The server's user must be able to read them: docs/certificates.rst says how."
    yield "   Until then it is one that this host made itself, at which mail programs balk."
