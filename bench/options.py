"""The command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Family
from bench.target import Login, Target

TESTS = ("disk", "smtp", "lmtp", "pop3")
JUDGES = {"on": (True,), "off": (False,), "both": (True, False)}

_DESCRIPTION = """\
Measures how fast mail goes in and out.  Without --smtp, --lmtp or --pop3 it starts a mailsys of its own in a
temporary folder, on free ports of loopback, and removes all of it in the end.  docs/performance.rst
tells how to read the figures."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for.  ``messages`` is None for a number that suits the case.

    ``judges`` holds one entry for each server of our own that is to be measured: with judges or without.
    ``strangers`` lets it ask who each sender is.  ``other`` is the server to measure instead of our own.
    """

    tests: tuple[str, ...]
    sizes_kb: tuple[int, ...]
    sessions: tuple[int, ...]
    messages: int | None
    keep: bool
    accounts: int
    mailbox: int
    retrievals: int
    syncs: int
    judges: tuple[bool, ...]
    strangers: bool
    repeat: int
    seconds: float
    settle_seconds: float
    folder: Path | None
    json: bool
    other: Target | None


def read_options(arguments: Sequence[str] | None) -> Options:
    """From the command line when no arguments are given; exits with 2 and a sentence when they are wrong."""
    parser = _parser()
    read = parser.parse_args(arguments)
    try:
        other = _other_server(read)
    except ValueError as error:
        parser.error(str(error))
    possible = TESTS if other is None else tuple(other.ports)
    tests = tuple(dict.fromkeys(read.tests)) or possible
    if wrong := [test for test in tests if test != "disk" and test not in possible]:
        parser.error(f"the test {wrong[0]} needs --{wrong[0]} HOST:PORT, too")
    return Options(
        tests=tests,
        sizes_kb=read.sizes,
        sessions=read.sessions,
        messages=read.messages,
        keep=read.keep,
        accounts=read.accounts,
        mailbox=read.mailbox,
        retrievals=read.retrievals,
        syncs=read.syncs,
        judges=JUDGES[read.judges],
        strangers=read.strangers,
        repeat=read.repeat,
        seconds=read.seconds,
        settle_seconds=read.settle,
        folder=read.dir,
        json=read.json,
        other=other,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "tests", nargs="*", metavar="TEST", type=_test, help=f"{', '.join(TESTS)} (default: all)"
    )
    parser.add_argument("--repeat", type=_number(1000), default=1, metavar="N", help="do it all N times")
    parser.add_argument("--json", action="store_true", help="print JSON, with the figures of each repetition")
    parser.add_argument(
        "--seconds", type=_number(3600), default=60, metavar="N", help="give a case up after N (default: 60)"
    )
    _add_load(parser.add_argument_group("the load"))
    _add_own_server(parser.add_argument_group("a server of its own"))
    _add_other_server(parser.add_argument_group("another server, spoken to without TLS"))
    return parser


def _add_load(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sizes", type=_numbers(51200), default=(1, 10, 100), metavar="N,…", help="in kB (default: 1,10,100)"
    )
    group.add_argument(
        "--sessions", type=_numbers(5000), default=(1, 10, 50), metavar="N,…", help="default: 1,10,50"
    )
    group.add_argument("--messages", type=_number(1_000_000), metavar="N", help="in each case")
    group.add_argument("--keep", action="store_true", help="many messages on a connection, not one each")
    group.add_argument(
        "--retrievals", type=_number(100_000), default=1000, metavar="N", help="RETRs (default: 1000)"
    )
    group.add_argument(
        "--syncs", type=_number(100_000), default=500, metavar="N", help="of the disk (default: 500)"
    )


def _add_own_server(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dir", type=Path, metavar="DIR", help="put its data there, to measure that disk")
    group.add_argument("--judges", choices=JUDGES, default="on", help="the default judges, or none")
    group.add_argument(
        "--strangers", action="store_true", help="it knows no sender, and judges signed mail of theirs"
    )
    group.add_argument(
        "--accounts", type=_number(10_000), default=50, metavar="N", help="recipients (default: 50)"
    )
    group.add_argument(
        "--mailbox", type=_number(1_000_000), default=10_000, metavar="N", help="messages to list in POP3"
    )
    group.add_argument(
        "--settle", type=_number(600, least=0), default=20, metavar="SECONDS",
        help="wait at most so long until accepted mail is settled, and count that work in (default: 20)",
    )  # fmt: skip


def _add_other_server(group: argparse._ArgumentGroup) -> None:
    for name in ("smtp", "lmtp", "pop3"):
        group.add_argument(f"--{name}", metavar="HOST:PORT")
    group.add_argument("--user", action="append", metavar="ADDRESS", help="gets the mail; may be repeated")
    group.add_argument("--password", metavar="PASSWORD", help="of the first user, for POP3")
    group.add_argument("--pid", type=_number(2**22), help="its process, if it runs here: for CPU and memory")


def _other_server(read: argparse.Namespace) -> Target | None:
    """None for our own server; raises ValueError."""
    ports = {name: _host_and_port(getattr(read, name)) for name in TESTS if getattr(read, name, None)}
    if not ports:
        if read.user or read.password or read.pid:
            raise ValueError("--user, --password and --pid are for --smtp, --lmtp or --pop3 HOST:PORT")
        return None
    if not read.user:
        raise ValueError("say with --user ADDRESS who is to get the mail")
    if "pop3" in ports and read.password is None:
        raise ValueError("--pop3 needs --password, too")
    login = Login(read.user[0], read.password or "")
    return Target(
        ports=ports,
        recipients=tuple(read.user),
        lister=login,
        retriever=login,
        processes=Family(read.pid) if read.pid else None,
    )


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f'"{text}" is no HOST:PORT, such as 127.0.0.1:25')
    return host.strip("[]"), int(port)


def _test(text: str) -> str:
    # argparse's own choices refuse the empty list, before Python 3.12.
    if text not in TESTS:
        raise argparse.ArgumentTypeError(f'"{text}" is none of {", ".join(TESTS)}')
    return text


def _number(most: int, least: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > 9 or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'"{text}" is not a number from {least} to {most}')
        return int(text)

    return read


def _numbers(most: int) -> Callable[[str], tuple[int, ...]]:
    number = _number(most)
    return lambda text: tuple(map(number, text.split(",")))
