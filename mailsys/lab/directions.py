"""What a person may try while the lab runs: who lives where, and commands to copy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from mailsys.lab.broken import BROKEN
from mailsys.lab.host import Host
from mailsys.lab.internet import Internet
from mailsys.lab.names import ADDRESS
from mailsys.lab.telling import Telling


def introduce(internet: Internet, telling: Telling) -> None:
    """Who lives where."""
    hosts = internet.hosts
    count = f"{len(hosts)} organisations" if len(hosts) > 1 else "one organisation"
    telling.heading(f"A small internet on this machine: {count}, each with a mail host of its own")
    for host in hosts:
        where = host.organisation
        people = ", ".join(person.address for person in where.people)
        telling.step(where.name, f"{where.hostname} on {where.address}, process {host.pid}: {people}")
    telling.step("DNS", f"on {ADDRESS} port {internet.names.port}, process {internet.names.pid}")
    if internet.broken:
        telling.step("broken", f"{len(BROKEN)} hosts that do something wrong, process {internet.broken.pid}")


def give_directions(internet: Internet, telling: Telling) -> None:
    """Ports, users, passwords and commands."""
    hosts = internet.hosts
    telling.heading("The hosts keep running.  Log in with")
    for host in hosts:
        where = host.organisation
        for person in where.people:
            telling.step(where.name, f"user {person.address}  password {person.password}")
    telling.heading("at")
    for host in hosts:
        where = host.organisation
        pop3 = f"POP3 port {where.port('pop3')}, with TLS from the start {where.port('pop3s')}"
        imap = f"IMAP {where.port('imap')}, {where.port('imaps')}"
        submission = f"submission port {where.port('submission')}, {where.port('submissions')}"
        smtp = f"SMTP port {where.port('smtp')}"
        telling.step(where.name, f"{where.address}  {smtp}  {submission}  {pop3}  {imap}")
    if internet.broken:
        telling.heading("Write to anybody but nobody@ at these, which are broken")
        for one in BROKEN:
            telling.line(f"  {one.domain.ljust(20)} {one.words}")
    telling.heading("Try, from another terminal")
    for purpose, command in _commands(hosts[0], hosts[min(1, len(hosts) - 1)], internet.names.port):
        telling.line(f"  # {purpose}")
        telling.line(f"  {command}")
    telling.line()
    telling.line("Ctrl-C ends it.")


def _commands(one: Host, other: Host, dns_port: int) -> Iterator[tuple[str, str]]:
    here, ada = one.organisation, one.organisation.people[0]
    there, bea = other.organisation, other.organisation.people[0]
    login = f"--auth-user {ada.address} --auth-password {ada.password}"
    pop3s = f"{there.address}:{there.port('pop3s')}"
    imap = f"imaps://{quote(bea.address)}@{there.address}:{there.port('imaps')}"
    at_one, at_other = (
        f"{Path(sys.executable).with_name('mailsys')} --config {host.config}" for host in (one, other)
    )
    yield (
        f"{ada.name} writes to {bea.name}",
        f"swaks --server {here.address}:{here.port('submission')} --tls {login} "
        f"--from {ada.address} --to {bea.address}",
    )
    yield (
        f"what waits at {here.domain}, and what is done",
        f"{at_one} queue list; {at_one} queue list --finished",
    )
    yield "what became of it, as either host tells it", f"{at_one} trace {bea.address}"
    yield "", f"{at_other} trace {bea.address}"
    yield (
        f"{bea.name} reads",
        f"curl --cacert {other.certificate} --user {bea.address}:{bea.password} pop3s://{pop3s}/1",
    )
    yield "or with a mail program", f"mutt -f {imap}"
    yield "where DNS says that mail goes", f"dig @{ADDRESS} -p {dns_port} {there.domain} MX"
    yield f"another address for {ada.name}", f"{at_one} alias add info@{here.domain} {ada.address}"
