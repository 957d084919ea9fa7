"""What a person may try while the lab runs: who lives where, and commands to copy."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from mailsys.lab.host import Host
from mailsys.lab.telling import Telling


def introduce(hosts: Sequence[Host], telling: Telling) -> None:
    """Who lives where."""
    count = f"{len(hosts)} organisations" if len(hosts) > 1 else "one organisation"
    telling.heading(f"A small internet on this machine: {count}, each with a mail host of its own")
    for host in hosts:
        where = host.organisation
        people = ", ".join(person.address for person in where.people)
        telling.step(where.name, f"{where.hostname} on {where.address}, process {host.pid}: {people}")


def give_directions(hosts: Sequence[Host], telling: Telling) -> None:
    """Ports, users, passwords and commands."""
    telling.heading("The hosts keep running.  Log in with")
    for host in hosts:
        where = host.organisation
        for person in where.people:
            telling.step(where.name, f"user {person.address}  password {person.password}")
    telling.heading("at")
    for host in hosts:
        where = host.organisation
        pop3 = f"POP3 port {where.port('pop3')}, with TLS from the start {where.port('pop3s')}"
        submission = f"submission port {where.port('submission')}, {where.port('submissions')}"
        smtp = f"SMTP port {where.port('smtp')}"
        telling.step(where.name, f"{where.address}  {smtp}  {submission}  {pop3}")
    telling.heading("Try, from another terminal")
    for command in _commands(hosts[0], hosts[-1]):
        telling.line(f"  {command}")
    telling.line()
    telling.line("Ctrl-C ends it.")


def _commands(one: Host, other: Host) -> Sequence[str]:
    here, ada = one.organisation, one.organisation.people[0]
    there, bea = other.organisation, other.organisation.people[0]
    smtp = f"{here.address}:{here.port('smtp')}"
    pop3s = f"{there.address}:{there.port('pop3s')}"
    mailsys = Path(sys.executable).with_name("mailsys")
    return (
        f"swaks --server {smtp} --tls --from you@example.org --to {ada.address}",
        f"curl --cacert {other.certificate} --user {bea.address}:{bea.password} pop3s://{pop3s}/1",
        f"mutt -f pops://{quote(ada.address)}@{here.address}:{here.port('pop3s')}",
        f"{mailsys} --config {one.config} trace {ada.address}",
        f"{mailsys} --config {one.config} alias add info@{here.domain} {ada.address}",
    )
