"""How sizes and times are written: ``"50M"`` is octets, ``"5m"`` is seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator

HIDDEN = "(hidden)"  # what is shown of a secret

SIZE_UNITS = {"": 1, "k": 1024, "M": 1024**2, "G": 1024**3}
TIME_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_SIZE = re.compile(r"([0-9]{1,15})(k|M|G|)")
_TIME = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,3})?)(s|m|h|d|)")


class Wrong(ValueError):  # noqa: N818 - it is told to a person as "KEY VALUE wrong; right"
    """A value that cannot be used: ``wrong`` says what it is, ``right`` what to write in its place."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(f"{wrong}; {right}")
        self.wrong = wrong
        self.right = right


def leaves(reasons: BaseExceptionGroup[Wrong]) -> Iterator[Wrong]:
    """Each of them, however deep the groups are nested."""
    for reason in reasons.exceptions:
        yield from leaves(reason) if isinstance(reason, BaseExceptionGroup) else (reason,)


def parse_size(value: object) -> int:
    """Octets, from a number or a text such as ``"50M"`` (k, M, G: powers of 1024); raises Wrong."""
    match = _SIZE.fullmatch(_as_text(value))
    if match is None:
        raise Wrong("is not a size", 'write octets, or a number with k, M or G, as in "50M"')
    return int(match[1]) * SIZE_UNITS[match[2]]


def parse_time(value: object) -> float:
    """Seconds, from a number or a text such as ``"5m"`` (s, m, h, d); raises Wrong."""
    match = _TIME.fullmatch(_as_text(value))
    if match is None:
        raise Wrong("is not a time", 'write a number with s, m, h or d, as in "5m"')
    return float(match[1]) * TIME_UNITS[match[2]]


def _as_text(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else "?"


def format_size(octets: int) -> str:
    """The shortest exact writing: ``"50M"``."""
    unit = next(u for u in ("G", "M", "k", "") if octets % SIZE_UNITS[u] == 0 and (octets or not u))
    return f"{octets // SIZE_UNITS[unit]}{unit}"


def format_time(seconds: float) -> str:
    """The shortest exact writing: ``"5m"``, ``"0.3s"``."""
    unit = next((u for u in "dhm" if seconds and seconds % TIME_UNITS[u] == 0), "s")
    number = f"{seconds / TIME_UNITS[unit]:.3f}".rstrip("0").rstrip(".")
    return f"{number}{unit}"
