"""``mailsys lab``: a small internet on one machine, to watch mail go its way."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from mailsys.control.command import CannotDo
from mailsys.lab.organisation import MOST


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``lab`` to the command line."""
    parser = subcommands.add_parser(
        "lab",
        help="a small internet on one machine",
        description="Starts some organisations, each a mail host of its own on a loopback address, and a DNS "
        "in which they find each other.  Mail goes between them: straight, over a relay (the third sends "
        "over the first), and to a host that is away for a while.  All is read back, and then they keep "
        "running until Ctrl-C.",
    )
    parser.add_argument(
        "--organisations", type=_number(1, MOST), default=3, metavar="N", help=f"1 to {MOST} (default: 3)"
    )
    parser.add_argument(
        "--port-base", type=_number(1000, 64000), metavar="N", help="SMTP is at N + 25 (default: found)"
    )
    parser.add_argument(
        "--dns-port", type=_number(1, 65535), metavar="N", help="the DNS server's port (default: found)"
    )
    parser.add_argument(
        "--broken",
        action="store_true",
        help="also with hosts that are away, slow, refuse at some step, break TLS, or are wrong in DNS",
    )
    parser.add_argument("--once", action="store_true", help="end when the mail was read back")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="live in this new directory, and leave it there"
    )
    parser.set_defaults(run=run)


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return read


def run(arguments: argparse.Namespace) -> int:
    """Tell the story, then wait for Ctrl-C."""
    from mailsys.lab.failure import LabFailed
    from mailsys.lab.performance import Wishes, perform

    wishes = Wishes(
        arguments.organisations,
        arguments.port_base,
        arguments.dns_port,
        arguments.keep,
        once=arguments.once,
        broken=arguments.broken,
    )
    try:
        perform(wishes, sys.stdout)
    except LabFailed as reason:
        raise CannotDo(str(reason)) from reason
    return 0
