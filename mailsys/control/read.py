"""``mailsys read``: reads mail at any IMAP or POP3 server; for now with ``--plain``, as lines of text."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo

if TYPE_CHECKING:
    from mailsys.agent.account import Account
    from mailsys.agent.mailbox import Mailbox
    from mailsys.agent.opening import Surroundings

NO_ACCOUNT = (
    "name the account: --account ADDRESS, and --imap HOST:PORT or --pop3 HOST:PORT;"
    " or write it into ~/.config/mailsys/agent.toml"
)
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
    parser.add_argument(
        "--account", metavar="ADDRESS", help="the name to log in with, or one of the accounts of agent.toml"
    )
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
    wrong: Callable[[str], NoReturn] = arguments.wrong
    if not arguments.plain:
        wrong(ONLY_PLAIN)
    if not arguments.list and arguments.show is None:
        wrong("--plain wants --list or --show N")
    from mailsys.agent.account import CannotRead
    from mailsys.control.read_account import chosen_account, with_password

    chosen = chosen_account(arguments)
    if chosen is None:
        wrong(NO_ACCOUNT)
    show_all(sys.stdout)
    account = with_password(chosen, from_stdin=arguments.password_stdin)
    try:
        at_once(_read(arguments, account, _surroundings(chosen.trust)))
    except CannotRead as reason:
        raise CannotDo(str(reason)) from None
    return 0


def show_all(stream: TextIO) -> None:
    """Let what the terminal's charset lacks be written as ``\\u20ac``, and not end the command."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a message")
    return int(text)


def _server(text: str) -> tuple[str, int]:
    from mailsys.agent.accounts_file import read_server
    from mailsys.config.values import Wrong

    try:
        return read_server(text)
    except Wrong:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in mail.example.org:993") from None


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
    from mailsys.agent.account import Protocol
    from mailsys.agent.imap import open_imap
    from mailsys.agent.pop3 import open_pop3

    opened = open_imap if account.protocol is Protocol.IMAP else open_pop3
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
