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
        description="Starts some organisations, each a mail host of its own on a loopback address, sends "
        "mail to each, reads it back, and keeps them running until Ctrl-C.",
    )
    parser.add_argument(
        "--organisations", type=_number(1, MOST), default=2, metavar="N", help=f"1 to {MOST} (default: 2)"
    )
    parser.add_argument(
        "--port-base", type=_number(1000, 64000), metavar="N", help="SMTP is at N + 25 (default: found)"
    )
    parser.add_argument(
        "--dns-port", type=_number(1, 65535), metavar="N", help="the lab's DNS server (comes with sending)"
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
    from mailsys.lab.performance import perform

    if arguments.dns_port is not None:
        print("The lab's DNS server comes with sending; --dns-port does nothing yet.")
    try:
        perform(arguments.organisations, arguments.port_base, arguments.keep, sys.stdout, once=arguments.once)
    except LabFailed as reason:
        raise CannotDo(str(reason)) from reason
    return 0
