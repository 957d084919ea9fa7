"""``mailsys lab``: a small internet on one machine, to watch mail go its way."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mailsys.control.command import CannotDo
from mailsys.lab.demo import NotShown, show_mail
from mailsys.lab.directions import give_directions, introduce
from mailsys.lab.host import HostFailed
from mailsys.lab.internet import Internet
from mailsys.lab.organisation import MOST, organisations
from mailsys.lab.ports import NoPorts, choose_port_base
from mailsys.lab.telling import Telling


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
    telling = Telling(sys.stdout)
    if arguments.dns_port is not None:
        telling.line("The lab's DNS server comes with sending; --dns-port does nothing yet.")
    try:
        loopback = [one.address for one in organisations(arguments.organisations, 0)]
        everyone = organisations(arguments.organisations, choose_port_base(loopback, arguments.port_base))
        with (
            _stopped_by_signals(),
            _directory(arguments.keep) as directory,
            Internet(everyone, directory) as internet,
        ):
            _live(internet, telling, once=arguments.once)
    except (NoPorts, HostFailed, NotShown) as reason:
        raise CannotDo(str(reason)) from reason
    return 0


def _live(internet: Internet, telling: Telling, *, once: bool) -> None:
    internet.start()
    introduce(internet.hosts, telling)
    show_mail(internet.hosts, telling)
    if once:
        telling.heading("All of it was read back.")
        return
    give_directions(internet.hosts, telling)
    try:
        internet.watch()
    except KeyboardInterrupt:
        telling.line()
        telling.line("Stopping the hosts.")


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """Where the hosts live.  A temporary one is removed, unless something went wrong."""
    if keep is not None:
        yield _new_directory(keep)
        return
    try:
        directory = Path(tempfile.mkdtemp(prefix="mailsys-lab-"))
    except OSError as error:
        raise CannotDo(f"There is no room for temporary files: {error.strerror}.") from error
    try:
        yield directory
    except (HostFailed, NotShown):
        print(f"mailsys: configurations and logs are in {directory}", file=sys.stderr)
        raise
    except BaseException:
        shutil.rmtree(directory)
        raise
    shutil.rmtree(directory)


def _new_directory(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise CannotDo(f"{path} is not empty: name a new directory for the lab.")
    except OSError as error:
        raise CannotDo(f"{path} cannot be made a directory: {error.strerror}.") from error
    return path.resolve()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the lab as Ctrl-C does, so that no host is left behind."""
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
