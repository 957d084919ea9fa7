"""Times how long steps take."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from bench.plan import Timing


@dataclass(slots=True)
class Laps:
    """The steps of one kind."""

    began: float = math.inf
    ended: float = -math.inf
    seconds: list[float] = field(default_factory=list)


class Stopwatch:
    """``now`` gives seconds since any moment."""

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self.now = now
        self._laps: defaultdict[str, Laps] = defaultdict(Laps)

    def note(self, step: str, began: float) -> None:
        """A step that began then has ended now."""
        ended = self.now()
        laps = self._laps[step]
        laps.seconds.append(ended - began)
        laps.began = min(laps.began, began)
        laps.ended = max(laps.ended, ended)

    def timings(self) -> Mapping[str, Timing]:
        """All steps, in the order in which each kind was first done."""
        return {step: _timing(laps) for step, laps in self._laps.items()}


def _timing(laps: Laps) -> Timing:
    return Timing(
        count=len(laps.seconds),
        seconds=laps.ended - laps.began,
        p50_ms=percentile(laps.seconds, 50) * 1000,
        p99_ms=percentile(laps.seconds, 99) * 1000,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many per cent of them do not exceed; of nothing it is 0."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
