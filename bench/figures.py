"""The figures of one case, and what several repetitions of it have in common."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """One step of one case, once.  What was not measured, or makes no sense there, is None.

    ``p50_ms`` and ``p99_ms`` are the time that one step took; ``cpu_ms`` is the server's, for each step;
    ``generator_cores`` and ``other_cores`` tell how many cores the generator, and everybody else but the
    server, kept busy meanwhile.  ``missing`` are messages that were accepted and are in no mailbox.
    """

    test: str
    case: str
    step: str
    count: int
    judges: bool | None = None
    failed: int = 0
    missing: int = 0
    per_second: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None
    peak_mb: float | None = None
    generator_cores: float | None = None
    other_cores: float | None = None
    troubles: tuple[str, ...] = ()

    @property
    def what(self) -> tuple[object, ...]:
        """Figures of the same are repetitions of one another."""
        return self.test, self.case, self.step, self.judges


MEASURED = ("per_second", "p50_ms", "p99_ms", "cpu_ms", "peak_mb", "generator_cores", "other_cores")


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over all repetitions."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Repeated:
    """All repetitions of one step of one case; there is at least one."""

    runs: Sequence[Figures]

    def spread(self, figure: str) -> Spread | None:
        """One of ``MEASURED`` over the repetitions; None when it was not measured."""
        values = [value for run in self.runs if (value := getattr(run, figure)) is not None]
        return Spread(statistics.median(values), min(values), max(values)) if values else None

    @property
    def lost(self) -> int:
        """How much failed or is missing, in all."""
        return sum(run.failed + run.missing for run in self.runs)

    @property
    def troubles(self) -> list[str]:
        """Why, each reason once."""
        return list(dict.fromkeys(trouble for run in self.runs for trouble in run.troubles))


def group(figures: Iterable[Figures]) -> list[Repeated]:
    """The repetitions together, in the order in which each was first measured."""
    together: dict[tuple[object, ...], list[Figures]] = {}
    for one in figures:
        together.setdefault(one.what, []).append(one)
    return [Repeated(runs) for runs in together.values()]
