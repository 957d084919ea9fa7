"""A whole visit to the lab: from finding ports to the last host stopped."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from mailsys.lab.demo import show_mail
from mailsys.lab.directions import give_directions, introduce
from mailsys.lab.failure import LabFailed
from mailsys.lab.internet import Internet
from mailsys.lab.names import ADDRESS
from mailsys.lab.organisation import organisations
from mailsys.lab.ports import DNS, kept_port_base
from mailsys.lab.telling import Telling


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was chosen on the command line; a port that is None is found."""

    organisations: int
    port_base: int | None = None
    dns_port: int | None = None
    keep: Path | None = None
    once: bool = False
    broken: bool = False


def perform(wishes: Wishes, out: TextIO) -> None:
    """Start the hosts, show mail going through them, and unless ``once`` stay until Ctrl-C.

    With ``keep`` all is in that directory and stays there.  Raises LabFailed.
    """
    loopback = [one.address for one in organisations(wishes.organisations, 0)]
    with (
        _stopped_by_signals(),
        kept_port_base([*loopback, ADDRESS], wishes.port_base) as base,
        _directory(wishes.keep) as directory,
        Internet(
            organisations(wishes.organisations, base),
            directory,
            wishes.dns_port or base + DNS,
            with_broken=wishes.broken,
        ) as internet,
    ):
        _live(internet, Telling(out), once=wishes.once)


def _live(internet: Internet, telling: Telling, *, once: bool) -> None:
    internet.start()
    introduce(internet, telling)
    show_mail(internet, telling)
    if once:
        telling.heading("All of it was read back.")
        return
    try:
        give_directions(internet, telling)
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
        raise LabFailed(f"There is no room for temporary files: {error.strerror}.") from error
    try:
        yield directory
    except LabFailed:
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
            raise LabFailed(f"{path} is not empty: name a new directory for the lab.")
    except OSError as error:
        raise LabFailed(f"{path} cannot be made a directory: {error.strerror}.") from error
    return path.resolve()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the lab as Ctrl-C does, so that no host is left behind."""
    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL  # nohup, and whoever calls us, may want otherwise
    ]
    for number in numbers:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
