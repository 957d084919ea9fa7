"""``mailsys init``: a new host in a folder, with its configuration, certificate and domains.

All is built in a folder beside and moved when it is whole; nothing that is there is overwritten.
"""

from __future__ import annotations

import argparse
import datetime
import ipaddress
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing

from mailsys.config import Configuration, load
from mailsys.config.ports import STANDARD_PORTS
from mailsys.control.command import CannotDo
from mailsys.control.configuration import installed
from mailsys.control.first_configuration import FirstConfiguration
from mailsys.control.next_steps import next_steps
from mailsys.message.address import AddressError, parse_domain

CONFIGURATION = "mailsys.toml"
CONTENTS = (
    "data",
    "tls",
    CONFIGURATION,
)  # in the order in which they are moved: the file that names them last
SYSTEM_USER = "mailsys"


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``init``."""
    parser = subcommands.add_parser(
        "init",
        help="make a new mail host in a folder",
        description="Writes a commented configuration, a self-signed certificate and the domains "
        "into a folder.  Nothing is overwritten.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", metavar="DIR", help="where it is made; may exist already")
    parser.add_argument(
        "--domain", action="append", required=True, metavar="D", help="a domain of yours; may be repeated"
    )
    parser.add_argument(
        "--hostname", metavar="H", help="the host's name (default: mail. and the first domain)"
    )
    parser.add_argument(
        "--port-base",
        type=int,
        default=0,
        metavar="N",
        help="add N to all ports, to try it out: 20000 makes 20025",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        help="listen there only (default: everywhere; with --port-base: 127.0.0.1)",
    )
    parser.add_argument(
        "--user",
        metavar="NAME",
        help="the user that a server started as root becomes (default: mailsys, if there is one)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the host, and tell what to do next."""
    domains = list(dict.fromkeys(map(_domain, arguments.domain)))
    first = FirstConfiguration(
        hostname=_domain(arguments.hostname or f"mail.{domains[0]}"),
        address=_address(arguments.listen or ("127.0.0.1" if arguments.port_base else "")),
        port_base=_port_base(arguments.port_base),
        user=_user(arguments.user, is_trial=bool(arguments.port_base)),
    )
    folder = os.path.abspath(arguments.folder)
    make_host(folder, first, domains, datetime.datetime.now(datetime.UTC))
    print(next_steps(folder, first, domains))
    return 0


def make_host(folder: str, first: FirstConfiguration, domains: Sequence[str], now: datetime.datetime) -> None:
    """Build everything, or leave everything as it was; raises CannotDo."""
    try:
        _refuse_to_overwrite(folder)
        made = not os.path.isdir(folder)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        try:
            _build_and_move(folder, first, domains, now)
        except BaseException:
            if made:
                shutil.rmtree(folder)
            raise
    except OSError as error:
        raise CannotDo(f"{error.filename or folder}: {error.strerror or error}; nothing was made.") from error


def _refuse_to_overwrite(folder: str) -> None:
    if there := [name for name in CONTENTS if os.path.lexists(os.path.join(folder, name))]:
        raise CannotDo(
            f"{folder} already has {', '.join(there)}, which init never overwrites: "
            "name another folder, or remove that first."
        )


def _build_and_move(
    folder: str, first: FirstConfiguration, domains: Sequence[str], now: datetime.datetime
) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".mailsys-init-") as workshop:
        _build(workshop, first, domains, now)
        moved: list[str] = []
        try:
            for name in CONTENTS:
                os.rename(os.path.join(workshop, name), os.path.join(folder, name))
                moved.append(name)
        except OSError:
            for name in moved:
                os.rename(os.path.join(folder, name), os.path.join(workshop, name))
            raise


def _build(workshop: str, first: FirstConfiguration, domains: Sequence[str], now: datetime.datetime) -> None:
    from mailsys.control.self_signed import write_self_signed

    data, tls = os.path.join(workshop, "data"), os.path.join(workshop, "tls")
    os.mkdir(data, 0o700)
    os.mkdir(tls, 0o755)
    loopback = ["localhost"] if first.address == first.loopback else []
    write_self_signed(tls, [first.hostname, *loopback, *filter(None, [first.address])], now)
    path = os.path.join(workshop, CONFIGURATION)
    with open(path, "x", encoding="utf-8") as file:
        file.write(first.text())
    create_domains(load(path, installed()), domains)
    if first.user and os.geteuid() == 0:
        _give_to(first.user, [data, os.path.join(tls, "key.pem")])


def create_domains(configuration: Configuration, domains: Sequence[str]) -> None:
    """Write the domains into the new host's accounts, and make their keys; raises OSError."""
    from mailsys.accounts.database import FILE_NAME, AccountsError, open_database
    from mailsys.dkim.key_file import KeyFiles
    from mailsys.dkim.keys import first_keys

    try:
        with closing(open_database(os.path.join(configuration.data, FILE_NAME))) as database:
            for domain in domains:
                database.domains.add(domain)
                first_keys(KeyFiles(configuration.data), domain, time.time())
    except AccountsError as error:
        raise CannotDo(str(error)) from error


def _give_to(user: str, paths: Sequence[str]) -> None:
    """Make paths, and what is in them, the user's own."""
    entry = pwd.getpwnam(user)
    for path in paths:
        os.chown(path, entry.pw_uid, entry.pw_gid)
        for folder, folders, files in os.walk(path):
            for name in [*folders, *files]:
                os.chown(os.path.join(folder, name), entry.pw_uid, entry.pw_gid)


def _domain(text: str) -> str:
    try:
        domain = parse_domain(text)
    except AddressError as error:
        raise CannotDo(f'"{text}" cannot be used: {error}; write a name such as example.org.') from None
    if domain.startswith("["):
        raise CannotDo(f'"{text}" is an address; write a name such as example.org.')
    return domain


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        raise CannotDo(f'"{text}" is no IP address; --listen takes one such as 127.0.0.1.') from None


def _port_base(base: int) -> int:
    most = 65535 - max(STANDARD_PORTS.values())
    if not 0 <= base <= most:
        raise CannotDo(f"--port-base {base} is not possible; write a number from 1 to {most}, such as 20000.")
    return base


def _user(name: str | None, *, is_trial: bool) -> str:
    """Whom the server becomes; "root" only when it was said, or to try things out."""
    if name:
        if not _exists(name):
            raise CannotDo(f"There is no user \"{name}\": make one with 'adduser --system --group {name}'.")
        return name
    if os.geteuid() != 0:
        return ""
    if is_trial:
        return "root"
    if _exists(SYSTEM_USER):
        return SYSTEM_USER
    raise CannotDo(
        "A server started as root needs a user that it becomes: make one with "
        f"'adduser --system --group {SYSTEM_USER}', or name one with --user."
    )


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
