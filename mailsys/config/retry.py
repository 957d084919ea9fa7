"""The setting ``send.retry``: how long a message waits between attempts, and when we give up."""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.config.values import Wrong, format_time, parse_time

_RIGHT = 'write times as in "15m 30m 1h then 8h until 5d", or a plain list such as "2s 2s 2s"'


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Seconds to wait after the first, second … failed attempt.

    After the last of ``waits`` every ``then`` seconds, until the message is ``until`` seconds old.
    Without ``then`` (a plain list) we give up after the last.
    """

    waits: tuple[float, ...]
    then: float | None = None
    until: float | None = None

    def __str__(self) -> str:
        words = [format_time(seconds) for seconds in self.waits]
        if self.then is not None and self.until is not None:
            words += ["then", format_time(self.then), "until", format_time(self.until)]
        return " ".join(words)


def parse_retry(text: str) -> RetrySchedule:
    """Read ``WAIT … [then WAIT until AGE]``; raises Wrong."""
    listed, found, rest = text.partition(" then ")
    waits = tuple(_wait(word) for word in listed.split())
    if not waits:
        raise Wrong("has no first wait", _RIGHT)
    if not found:
        return RetrySchedule(waits)
    words = rest.split()
    if len(words) != 3 or words[1] != "until":
        raise Wrong('does not end with "then WAIT until AGE"', _RIGHT)
    return RetrySchedule(waits, _wait(words[0]), _wait(words[2]))


def _wait(word: str) -> float:
    try:
        seconds = parse_time(word)
    except Wrong:
        raise Wrong(f'has "{word}", which is no time', _RIGHT) from None
    if not seconds:
        raise Wrong("has a wait of nothing", _RIGHT)
    return seconds
