"""``mailsys explain``: what would happen to a message or to an address; nothing is delivered."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from ipaddress import ip_address

from mailsys.config import Configuration
from mailsys.config.values import parse_size
from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.interfaces import DirectoryUnavailable, IDirectory, Peer, Session
from mailsys.message.address import Address, AddressError, parse_address
from mailsys.message.content import Content, MemoryContent

PROTOCOLS = {"smtp": "ESMTP", "lmtp": "LMTP", "submission": "ESMTPSA"}


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``explain``."""
    parser = subcommands.add_parser("explain", help="tell what would happen to a message, without sending it")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--from", dest="sender", required=True, metavar="A", help='the reverse-path; "" for a notice'
    )
    parser.add_argument(
        "--to", required=True, action="append", metavar="B", help="a recipient; may be repeated"
    )
    parser.add_argument(
        "--ip", type=_ip, default="127.0.0.1", metavar="IP", help="the client's address (127.0.0.1)"
    )
    parser.add_argument("--helo", default="localhost", metavar="NAME", help="what the client calls itself")
    parser.add_argument(
        "--service",
        choices=("smtp", "submission", "lmtp"),
        help="which listener it speaks to (smtp; submission with --login)",
    )
    parser.add_argument(
        "--login", type=_login, metavar="ACCOUNT", help="who has logged in there, as one who sends mail does"
    )
    parser.add_argument(
        "--size", type=_size, metavar="N", help="the size that the client declares, as in 10M; without FILE"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="the message; without it only the envelope is asked"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask every station that can say no, in the order of a real session."""
    from mailsys.control.dry_run import DryRun
    from mailsys.control.dry_run_words import as_json, as_text
    from mailsys.dry_stations import build_admission, build_directory, build_rewriting
    from mailsys.stations import CannotWork

    configuration = read_configuration(arguments)
    content = _read(arguments.file) if arguments.file else None
    service = arguments.service or ("submission" if arguments.login else "smtp")
    session = Session("explain", Peer(arguments.ip, 0, service), arguments.helo, PROTOCOLS[service])
    session.login = arguments.login
    with closing(build_directory(configuration)) as directory:
        try:
            at_once(_demand_account(configuration, directory, arguments.login))
            admission = build_admission(configuration, directory, service)
            rewriting = build_rewriting(configuration)
            dry_run = DryRun(configuration, session, admission, directory.first_domain, rewriting)
            at_once(dry_run.ask(arguments.sender, arguments.to, content, arguments.size))
        except CannotWork as error:
            raise CannotDo(str(error)) from error
        except DirectoryUnavailable:
            raise CannotDo("The accounts cannot be read; run it as the server's user.") from None
    print(json.dumps(as_json(dry_run), indent=2, ensure_ascii=False) if arguments.json else as_text(dry_run))
    return 0


async def _demand_account(configuration: Configuration, directory: IDirectory, login: Address | None) -> None:
    """Who is said to have logged in must exist, unless further sources of accounts may know it."""
    if login and not configuration.auth.sources and await directory.account(login) is None:
        raise CannotDo(f"There is no account {login}; 'mailsys account list' shows all.")


def _read(path: str) -> Content:
    try:
        with open(path, "rb") as file:
            octets = file.read()
    except OSError as error:
        raise CannotDo(f"{path} cannot be read: {error.strerror}.") from error
    # A file on this machine ends its lines with LF; on the wire it would be CR LF.
    return MemoryContent([octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")])


def _login(text: str) -> Address:
    try:
        return parse_address(text).folded()
    except AddressError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no address of an account: {error}') from None


def _ip(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no IP address') from None


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
