"""``mailsys send``: takes a message on standard input as ``sendmail`` does, for cron and other programs.

It hands the message to the running server, or fails: nothing is kept beside the server's back.  The exit
status is one of sysexits.h, by which programs know whether to try again.
"""

from __future__ import annotations

import argparse
import os
import pwd
import sys
import time

from mailsys.config import Configuration
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.written_mail import Writer, WrongMail, write_mail

IGNORED = "taken, as programs say it, and of no meaning here"


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``send``."""
    parser = subcommands.add_parser(
        "send",
        help="send a message from standard input, as sendmail does",
        description="Reads a message and hands it to the running server.  Date, Message-ID and From are "
        "added if they are missing.  Exit status: 0 taken; 75 try again later; else it was refused "
        "(sysexits.h).",
    )
    parser.set_defaults(run=run)
    parser.add_argument("-t", dest="from_header", action="store_true", help="also to all in To, Cc and Bcc")
    parser.add_argument("-f", "-r", dest="sender", metavar="FROM", help='the sender; "<>" for none')
    parser.add_argument("-F", dest="full_name", metavar="NAME", help="the sender's name, if there is no From")
    parser.add_argument("-i", dest="whole", action="store_true", help='a line with only "." is no end')
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="X", help="-oi is -i")
    parser.add_argument(
        "-b", dest="mode", default="m", choices=("m",), help="-bm: send, which is all it does"
    )
    parser.add_argument("-B", dest="body", metavar="TYPE", help=IGNORED)
    parser.add_argument("-m", "-n", "-v", dest="ignored", action="store_true", help=IGNORED)
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="a recipient")


def run(arguments: argparse.Namespace) -> int:
    """Hand the message in; returns a status of sysexits.h."""
    from mailsys.control.handing_in import NotTaken, hand_in

    try:
        configuration = read_configuration(arguments, is_servers=False)
    except CannotDo as reason:
        return _told(os.EX_CONFIG, str(reason))
    try:
        octets = _read(configuration.limits.message_size, whole=arguments.whole or "i" in arguments.options)
        writer = Writer(
            configuration.auth.default_domain or configuration.hostname,
            _user(),
            arguments.sender,
            _full_name() if arguments.full_name is None else arguments.full_name,
            time.time(),
        )
        mail = write_mail(octets, arguments.addresses, writer, from_header=arguments.from_header)
        hand_in(_listeners(configuration), mail)
    except WrongMail as reason:
        return _told(reason.status, f"{reason}; nothing was sent.")
    except NotTaken as reason:
        return _told(reason.status, f"{reason}; nothing was sent.")
    return os.EX_OK


def _told(status: int, words: str) -> int:
    print(f"mailsys send: {words}", file=sys.stderr)
    return status


def _read(most_octets: int, *, whole: bool) -> bytes:
    """Standard input, to its end or to a line with a dot alone."""
    lines, octets = [], 0
    for line in sys.stdin.buffer:
        if not whole and line in (b".\n", b".\r\n"):
            break
        lines.append(line)
        octets += len(line)
        if octets > most_octets:
            raise WrongMail(f"the message is larger than {most_octets} octets", os.EX_DATAERR)
    return b"".join(lines)


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user{os.getuid()}"


def _full_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
    except KeyError:
        return ""


def _listeners(configuration: Configuration) -> list[str | tuple[str, int]]:
    """Where mail comes in on this machine: SMTP listeners that ask for no TLS and no proxy.

    Local sockets come first, for there the server knows whose program we are.
    """
    from mailsys.config.endpoint import address_of

    local: list[str | tuple[str, int]] = []
    others: list[tuple[str, int]] = []
    for listener in configuration.listen:
        if listener.service != "smtp" or listener.tls == "implicit" or listener.proxy_from:
            continue
        match address_of(listener.endpoint):
            case "unix", path, _:
                local.append(path)
            case _, host, port:
                others.append((host or "127.0.0.1", port))
    if not local and not others:
        words = "there is no [[listen]] with service smtp to hand it to"
        raise WrongMail(f"{configuration.path}: {words}", os.EX_CONFIG)
    return [*local, *others[:1]]
