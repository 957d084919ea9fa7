"""Tells the service manager how we are, as sd_notify(3) describes it; nothing happens without one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, MutableMapping

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

STATUS_SECONDS = 10.0
LONG_SECONDS = 120  # how much longer than that a start or stop may take, told anew at each turn
_STATUS_CHARACTERS = 200

log = Logger(namespace="mailsys")


class Supervisor:
    """Speaks to the socket in ``$NOTIFY_SOCKET``; made and started while the environment is as it was set.

    ``describe`` gives the line that ``systemctl status`` shows.  The watchdog is fed from the reactor, so
    a reactor that hangs is noticed; at least twice within the time that the manager waits.
    """

    def __init__(
        self,
        clock: IReactorTime,
        environment: MutableMapping[str, str],
        describe: Callable[[], str],
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._describe = describe
        self._monotonic_ns = monotonic_ns
        # Whatever we start later is not the service that is watched.
        self._address = _address(environment.pop("NOTIFY_SOCKET", ""))
        self._seconds = _watchdog_seconds(environment)
        self._socket: socket.socket | None = None
        self._waits = False
        self._told = ""
        self._owed: list[str] = []
        self._turn = LoopingCall(self._tell_again)
        self._turn.clock = clock

    def start(self) -> None:
        """The start has begun, and may take long."""
        if self._address is None:
            return
        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        self._waits = True
        self._turn.start(min(STATUS_SECONDS, self._seconds / 2 or STATUS_SECONDS), now=True)

    def ready(self) -> None:
        """Everything is up, and everybody is served."""
        self._waits = False
        self._tell("READY=1", f"MAINPID={os.getpid()}", self._status())

    def reloading(self) -> None:
        """The configuration is being read again; ``ready`` tells its end."""
        self._tell(
            "RELOADING=1",
            f"MONOTONIC_USEC={self._monotonic_ns() // 1000}",
            "STATUS=reading the configuration again",
        )

    def stopping(self) -> None:
        """The end has begun."""
        self._waits = True
        self._tell("STOPPING=1", self._status())

    def close(self) -> None:
        """Say nothing any more."""
        if self._turn.running:
            self._turn.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell_again(self) -> None:
        lines = ["WATCHDOG=1"] if self._seconds else []
        if self._waits:
            lines.append(f"EXTEND_TIMEOUT_USEC={LONG_SECONDS * 1_000_000}")
        if (status := self._status()) != self._told:
            self._told = status
            lines.append(status)
        if lines or self._owed:
            self._tell(*lines)

    def _status(self) -> str:
        return f"STATUS={self._describe()[:_STATUS_CHARACTERS]}"

    def _tell(self, *lines: str) -> None:
        if self._socket is None or self._address is None:
            return
        # The newest line of each kind.
        due = list({_kind(line): line for line in (*self._owed, *lines)}.values())
        self._owed = []
        try:
            self._socket.sendto("\n".join(due).encode(), self._address)
        except BlockingIOError:  # the manager is busy; the next turn tells it
            self._owed = due
        except OSError as error:
            log.warn("The service manager cannot be told how we are: {reason}", reason=error.strerror)
            self.close()


def _kind(line: str) -> str:
    """What a later line replaces; up, reloading and stopping are one, of which the last is true."""
    key = line.partition("=")[0]
    return "READY" if key in ("RELOADING", "STOPPING") else key


def _address(name: str) -> str | None:
    """A path, or a name in the abstract namespace, which begins with a zero octet for the kernel."""
    if name.startswith("@"):
        return f"\0{name[1:]}"
    return name if name.startswith("/") else None


def _watchdog_seconds(environment: MutableMapping[str, str]) -> float:
    """How long the manager waits for us, or 0; it says which process it means."""
    microseconds, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
    if not microseconds.isdigit() or (pid and pid != str(os.getpid())):
        return 0.0
    return int(microseconds) / 1_000_000
