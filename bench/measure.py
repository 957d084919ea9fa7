"""Measures one case: the load, what it cost the server, and whether the mail is there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.cases import Case
from bench.figures import Figures
from bench.generator import generate
from bench.plan import Outcome, Timing
from bench.processes import machine_cpu_seconds
from bench.target import Target

_NONE = Timing(count=0, seconds=0.0, p50_ms=0.0, p99_ms=0.0)


@dataclass(frozen=True, slots=True)
class Used:
    """CPU that was used until now: by the server if we can see it, by us and the generator, by all."""

    at: float
    server: float | None
    ours: float
    machine: float


def measure(case: Case, target: Target, settle_seconds: float) -> Iterator[Figures]:
    """Give the figures of each step of the case; raises BenchFailed."""
    messages_before = _messages(target)
    if target.processes:
        target.processes.forget_peak()
    before = _used(target)
    outcome = generate(case.plan)
    after = _used(target)
    if target.folders:
        target.folders.wait_until_settled(settle_seconds)
    settled = _used(target)
    timing = outcome.timings.get(case.steps[0], _NONE)
    yield Figures(
        test=case.test,
        case=case.name,
        step=case.steps[0],
        count=timing.count,
        failed=max(0, case.wanted - timing.count),
        missing=_missing(case, timing.count, messages_before, _messages(target)),
        per_second=timing.count / timing.seconds if timing.count > 1 else None,
        p50_ms=timing.p50_ms,
        p99_ms=timing.p99_ms if timing.count > 1 else None,
        cpu_ms=_cpu_ms(before, settled, timing.count),
        peak_mb=target.processes.peak_mb() if target.processes else None,
        generator_cores=outcome.cpu_seconds / outcome.seconds,
        other_cores=_other_cores(before, after),
        troubles=outcome.troubles,
    )
    yield from _other_steps(case, outcome)


def _other_steps(case: Case, outcome: Outcome) -> Iterator[Figures]:
    for step in case.steps[1:]:
        if timing := outcome.timings.get(step):
            yield Figures(
                test=case.test,
                case=case.name,
                step=step,
                count=timing.count,
                p50_ms=timing.p50_ms,
                p99_ms=timing.p99_ms if timing.count > 1 else None,
            )


def _used(target: Target) -> Used:
    return Used(
        at=time.monotonic(),
        server=target.processes.cpu_seconds() if target.processes else None,
        ours=sum(os.times()[:4]),  # with the children that have ended, as the generator has
        machine=machine_cpu_seconds(),
    )


def _cpu_ms(before: Used, after: Used, count: int) -> float | None:
    if before.server is None or after.server is None or not count:
        return None
    return (after.server - before.server) * 1000 / count


def _other_cores(before: Used, after: Used) -> float | None:
    if before.server is None or after.server is None:
        return None
    others = after.machine - before.machine - (after.server - before.server) - (after.ours - before.ours)
    return max(0.0, others) / (after.at - before.at)


def _messages(target: Target) -> int | None:
    return target.folders.count_messages() if target.folders else None


def _missing(case: Case, accepted: int, before: int | None, now: int | None) -> int:
    """How many accepted messages are in no mailbox.  More than were accepted may be there, never fewer."""
    if before is None or now is None or case.test == "pop3":
        return 0
    return max(0, before + accepted - now)
