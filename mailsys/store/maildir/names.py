"""Names of message files: ours, and how to read everybody's.

    1795447721.M995919P12244Q3405691582.mail.example.org,S=2048,W=2048:2,S
    └ base name: unique for ever, the message's identity ──────────────┘└ info: flags

``S=`` is the size on the disk, ``W=`` the size with CRLF line ends, as Courier and Dovecot write them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

HOST_OCTETS = 100

_BOTH_SIZES = re.compile(r",S=(\d{1,18}),W=(\d{1,18})(?=[,:;]|$)")
_SIZE = re.compile(r",S=(\d{1,18})(?=[,:;]|$)")
_WIRE_SIZE = re.compile(r",W=(\d{1,18})(?=[,:;]|$)")
# Where a file name begins with its time, and has M<microseconds>, it tells the order of arrival.
_ARRIVAL = re.compile(r"(\d{1,12})(?:\.[A-Za-z0-9_]{0,100}?M(\d{1,9}))?")
_UNSAFE_IN_HOST = re.compile(r"[^A-Za-z0-9._-]")


class NameSource:
    """Makes base names.  Thread-safe.

    ``now`` gives seconds since 1970.  ``first_number`` is random and large: it keeps names apart when
    a process of the same number meets the same microsecond again, after the clock was set back.
    """

    def __init__(self, now: Callable[[], float], pid: int, host: str, first_number: int) -> None:
        self._now = now
        self._pid = pid
        self._host = host_part(host)
        self._number = first_number
        self._lock = threading.Lock()

    def next(self, size: int, wire_size: int | None) -> str:
        """A new base name for a file of ``size`` octets."""
        return _with_sizes(self.next_bare(), size, wire_size)

    def next_bare(self) -> str:
        """A new base name that tells no sizes."""
        with self._lock:
            self._number += 1
            number = self._number
        return f"{_moment(self._now())}P{self._pid}Q{number}.{self._host}"

    def of(self, at: float, digest: str, size: int, wire_size: int | None) -> str:
        """The base name of a file that may be written more than once: ``digest`` is its alone."""
        return _with_sizes(f"{_moment(at)}R{digest}.{self._host}", size, wire_size)


def _moment(at: float) -> str:
    seconds, microseconds = divmod(int(at * 1_000_000), 1_000_000)
    return f"{seconds}.M{microseconds}"


def _with_sizes(name: str, size: int, wire_size: int | None) -> str:
    name = f"{name},S={size}"
    return name if wire_size is None else f"{name},W={wire_size}"


def host_part(host: str) -> str:
    r"""The host as a part of file names: ``/`` is ``\057`` and ``:`` is ``\072``."""
    escaped = _UNSAFE_IN_HOST.sub(lambda found: "".join(f"\\{o:03o}" for o in found.group().encode()), host)
    return escaped[:HOST_OCTETS] or "localhost"


def base_name(name: str) -> str:
    """The part that stays when flags change.  It ends at the colon, for Dovecot as for us."""
    return name.partition(":")[0]


def sizes_in(name: str) -> tuple[int | None, int | None]:
    """The size on the disk and with CRLF line ends, as far as the name tells them."""
    both = _BOTH_SIZES.search(name)
    if both is not None:
        return int(both.group(1)), int(both.group(2))
    return _number(_SIZE, name), _number(_WIRE_SIZE, name)


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    found = pattern.search(name)
    return int(found.group(1)) if found else None


def arrival(name: str) -> tuple[int, int, int, str]:
    """A key that sorts names by their time; those without one come last."""
    found = _ARRIVAL.match(name)
    if found is None:
        return 1, 0, 0, name
    return 0, int(found.group(1)), int(found.group(2) or 0), name
