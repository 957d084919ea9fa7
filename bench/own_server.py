"""A mailsys of the benchmark's own, made and served through the command line, in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bench.failure import BenchFailed
from bench.mailboxes import fill_mailbox
from bench.options import Options
from bench.processes import Family
from bench.strangers import unknown_to
from bench.target import Login, OwnFolders, Target
from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation, Person
from mailsys.lab.ports import choose_port_base

DOMAIN = "bench.test"
PASSWORD = "bench"  # noqa: S105 - of accounts that live for a minute, on loopback
LISTER, RETRIEVER = f"lister@{DOMAIN}", f"retriever@{DOMAIN}"
LISTED_OCTETS, RETRIEVED_OCTETS = 1024, 10 * 1024
SERVICES = ("smtp", "lmtp", "pop3")
_JUDGE_TABLE = "\n[judge]\n"


@contextmanager
def own_server(folder: Path, options: Options, *, has_judges: bool) -> Iterator[Target]:
    """Serve from the new ``folder`` until the block ends; raises BenchFailed."""
    try:
        host = _make(folder, options.accounts)
        folders = OwnFolders(mail=folder / "data" / "mail", intake=folder / "data" / "intake")
        if not has_judges:
            _take_judges_away(host.config)
        if "pop3" in options.tests:
            fill_mailbox(_maildir(folders.mail, LISTER), options.mailbox, LISTED_OCTETS)
            fill_mailbox(_maildir(folders.mail, RETRIEVER), options.retrievals, RETRIEVED_OCTETS)
        strangers = unknown_to(host, folder) if options.strangers else nullcontext("")
        with strangers as key:
            os.sync()  # what was written so far is not to be paid for while we measure
            with _served(host):
                yield _target(host, folders, key)
    except LabFailed as error:
        raise BenchFailed(str(error)) from error


@contextmanager
def _served(host: Host) -> Iterator[None]:
    try:
        host.start()
        host.wait_until_ready(SERVICES)
        yield
        host.check_alive()
    finally:
        host.stop()


def _make(folder: Path, accounts: int) -> Host:
    # An address of our own, so that whoever looks for free ports at the same time does not find ours.
    address = f"127.0.2.{os.getpid() % 254 + 1}"
    names = [f"user{number}@{DOMAIN}" for number in range(1, accounts + 1)]
    people = tuple(Person(name, PASSWORD) for name in [*names, LISTER, RETRIEVER])
    host = Host(Organisation("bench", DOMAIN, people, address, choose_port_base([address], None)), folder)
    host.make()
    return host


def _take_judges_away(config: Path) -> None:
    before, table, after = config.read_text().partition(_JUDGE_TABLE)
    if not table:
        raise BenchFailed(f"{config} has no [judge] where the judges could be taken away.")
    config.write_text(f"{before}{table}judges = []\n{after}")


def _maildir(mail: Path, address: str) -> Path:
    user, _, domain = address.partition("@")
    return mail / domain / user


def _target(host: Host, folders: OwnFolders, key: str) -> Target:
    where = host.organisation
    pid = host.pid
    return Target(
        ports={name: (where.address, where.port(name)) for name in SERVICES},
        recipients=tuple(person.address for person in where.people[:-2]),
        lister=Login(LISTER, PASSWORD),
        retriever=Login(RETRIEVER, PASSWORD),
        processes=Family(pid) if pid else None,
        folders=folders,
        key=key,
    )
