"""``mailsys read``: reads mail at any IMAP or POP3 server; for now with ``--plain``, as lines of text."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo

if TYPE_CHECKING:
    from mailsys.agent.account import Account
    from mailsys.agent.mailbox import Mailbox
    from mailsys.agent.opening import Surroundings

PASSWORD_OCTETS = 4096
ONLY_PLAIN = "for now mail is read with --plain, as in: mailsys read --plain --list"


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``read``."""
    parser = subcommands.add_parser(
        "read",
        help="read mail at any IMAP or POP3 server",
        description="Shows mail as lines of text, and changes nothing: what is shown stays unread.",
    )
    parser.set_defaults(run=run, wrong=parser.error)
    parser.add_argument("--plain", action="store_true", help="print text, for scripts and screen readers")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the messages of a folder")
    what.add_argument("--show", metavar="N", type=_number, help="show the message with this number")
    parser.add_argument("--folder", metavar="F", default="INBOX", help="(default: INBOX)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--account", metavar="ADDRESS", help="the name to log in with")
    server = parser.add_mutually_exclusive_group()
    server.add_argument("--imap", metavar="HOST:PORT", type=_server, help="an IMAP server")
    server.add_argument("--pop3", metavar="HOST:PORT", type=_server, help="a POP3 server")
    parser.add_argument(
        "--tls",
        choices=("starttls", "implicit", "none"),
        help="when TLS begins (default: implicit on ports 993 and 995, else starttls)",
    )
    parser.add_argument(
        "--trust", metavar="FILE", default="", help="certificates to trust besides the system's, as PEM"
    )
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password's line from standard input"
    )


def run(arguments: argparse.Namespace) -> int:
    """List, or show one."""
    if not arguments.plain:
        arguments.wrong(ONLY_PLAIN)
    if not arguments.list and arguments.show is None:
        arguments.wrong("--plain wants --list or --show N")
    if not arguments.account or not (arguments.imap or arguments.pop3):
        arguments.wrong("name the account: --account ADDRESS, and --imap HOST:PORT or --pop3 HOST:PORT")
    from mailsys.agent.account import CannotRead

    account = _account(arguments)
    try:
        at_once(_read(arguments, account, _surroundings(arguments.trust)))
    except CannotRead as reason:
        raise CannotDo(str(reason)) from None
    return 0


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a message")
    return int(text)


def _server(text: str) -> tuple[str, int]:
    """HOST:PORT, where HOST may be an address of IPv6 in brackets."""
    host, _colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit() and 0 < len(port) < 6 and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in mail.example.org:993")
    return host, int(port)


def _account(arguments: argparse.Namespace) -> Account:
    from mailsys.agent.account import IMPLICIT_PORTS, Account, Protocol, Security
    from mailsys.wire.sasl.client import Login

    host, port = arguments.imap or arguments.pop3
    default = Security.IMPLICIT if port in IMPLICIT_PORTS else Security.STARTTLS
    return Account(
        Protocol.IMAP if arguments.imap else Protocol.POP3,
        host,
        port,
        Security(arguments.tls) if arguments.tls else default,
        Login(arguments.account, _password(arguments)),
    )


def _password(arguments: argparse.Namespace) -> str:
    if not arguments.password_stdin:
        if not sys.stdin.isatty():
            raise CannotDo("There is no terminal to ask for a password; give it with --password-stdin.")
        try:
            return getpass.getpass(f"Password for {arguments.account}: ")
        except EOFError:
            raise CannotDo("No password was given.") from None
    line = sys.stdin.buffer.readline(PASSWORD_OCTETS + 2)
    try:
        return line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CannotDo("The password is not UTF-8.") from None


def _surroundings(trusted: str) -> Surroundings:
    from twisted.internet import reactor

    from mailsys.agent.opening import Surroundings
    from mailsys.net.client_tls import ClientTLS
    from mailsys.threads import NoThreads
    from mailsys.wire.sasl.scram_client import NONCE_OCTETS

    running: Any = reactor
    try:
        tls = ClientTLS(trusted)
    except OSError as error:
        raise CannotDo(f"{trusted} cannot be used: {error.strerror or error}.") from None
    return Surroundings(running, tls, NoThreads(), lambda: os.urandom(NONCE_OCTETS))


async def _read(arguments: argparse.Namespace, account: Account, surroundings: Surroundings) -> None:
    from mailsys.agent.imap import open_imap
    from mailsys.agent.pop3 import open_pop3

    opened = open_imap if arguments.imap else open_pop3
    mailbox: Mailbox = await opened(account, surroundings)
    try:
        if arguments.list:
            await _list(mailbox, arguments)
        else:
            await _show(mailbox, arguments)
    finally:
        mailbox.close()


async def _list(mailbox: Mailbox, arguments: argparse.Namespace) -> None:
    from mailsys.agent.lines import entry_json, entry_line

    listing = await mailbox.list(arguments.folder)
    if len(listing.entries) < listing.count:
        left_out = listing.count - len(listing.entries)
        print(f"mailsys: {left_out} of {listing.count} messages are left out.", file=sys.stderr)
    if arguments.json:
        _print_json([entry_json(entry) for entry in listing.entries])
        return
    for entry in listing.entries:
        print(entry_line(entry))


async def _show(mailbox: Mailbox, arguments: argparse.Namespace) -> None:
    from mailsys.agent.lines import message_json, message_lines
    from mailsys.agent.readable import read_message

    message = read_message(await mailbox.fetch(arguments.folder, arguments.show))
    if arguments.json:
        _print_json(message_json(arguments.show, message))
        return
    for line in message_lines(message):
        print(line)


def _print_json(value: object) -> None:
    """In ASCII, so that nothing that strangers wrote reaches a terminal as it is."""
    print(json.dumps(value, indent=2))
