"""Prints the figures: as a table for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from bench.figures import MEASURED, Figures, Repeated, Spread
from bench.machine import Machine

COLUMNS = (
    ("per_second", "per second"),
    ("p50_ms", "p50 ms"),
    ("p99_ms", "p99 ms"),
    ("cpu_ms", "CPU ms each"),
    ("peak_mb", "peak MiB"),
    ("generator_cores", "generator"),
    ("other_cores", "others"),
)
BUSY_CORES = 0.3
GENERATOR_LIMIT_CORES = 0.85


def table(machine: Machine, results: Sequence[Repeated]) -> str:
    """Medians; with several repetitions the least and the most of the rates, too."""
    rows = [["test", "case", "each", *(heading for _, heading in COLUMNS)], *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_aligned(row, widths) for row in rows]
    return "\n".join([_heading(machine, results), "", *lines, "", *_remarks(machine, results)])


def as_json(machine: Machine, results: Sequence[Repeated]) -> str:
    """The machine, and for each step of each case its medians and the figures of each repetition."""
    return json.dumps(
        {"machine": asdict(machine), "results": list(map(_result, results))}, indent=2, ensure_ascii=False
    )


def progress(figures: Figures) -> str:
    """One line about one repetition."""
    rate = "" if figures.per_second is None else f"{_number(figures.per_second)} per second, "
    return f"{figures.test} {_case(figures)}, {figures.step}: {rate}p50 {_number(figures.p50_ms or 0)} ms"


def _heading(machine: Machine, results: Sequence[Repeated]) -> str:
    repetitions = max((len(result.runs) for result in results), default=0)
    times = "1 repetition" if repetitions == 1 else f"medians of {repetitions} repetitions (least..most)"
    return (
        f"{machine.date}, {machine.cores} cores, {machine.kernel}, {machine.file_system}, "
        f"Python {machine.python}, {times}"
    )


def _row(result: Repeated) -> list[str]:
    first = result.runs[0]
    figures = [_cell(figure, result.spread(figure)) for figure, _ in COLUMNS]
    return [first.test, _case(first), first.step, *figures]


def _case(figures: Figures) -> str:
    return figures.case if figures.judges in (None, True) else f"{figures.case}, no judges"


def _cell(figure: str, spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if figure == "per_second" and spread.least != spread.most:
        return f"{_number(spread.median)} ({_number(spread.least)}..{_number(spread.most)})"
    return _number(spread.median)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Words to the left, figures to the right."""
    cells = [
        cell.ljust(width) if number < 3 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _remarks(machine: Machine, results: Sequence[Repeated]) -> Iterator[str]:
    """What somebody must know who believes the figures."""
    others = max((spread.most for result in results if (spread := result.spread("other_cores"))), default=0.0)
    if others > BUSY_CORES:
        yield f"Other programs kept up to {others:.1f} cores busy meanwhile: repeat it on a quiet machine."
    elif machine.load > machine.cores * BUSY_CORES:
        yield f"The machine was not quiet before: its load was {machine.load:.1f}."
    for result in results:
        first = result.runs[0]
        generator = result.spread("generator_cores")
        if generator and generator.median > GENERATOR_LIMIT_CORES:
            yield f"{first.test}, {_case(first)}: the generator was at its limit, the server may be faster."
        if result.lost or result.troubles:
            yield f"{first.test}, {_case(first)}: {_losses(result)}"


def _losses(result: Repeated) -> str:
    failed, missing = (sum(getattr(run, kind) for run in result.runs) for kind in ("failed", "missing"))
    reasons = "".join(f"\n    {trouble}" for trouble in result.troubles)
    return f"{failed} failed, {missing} were accepted and are missing{reasons}"


def _result(result: Repeated) -> dict[str, object]:
    first = result.runs[0]
    spreads = {figure: result.spread(figure) for figure in MEASURED}
    return {
        "test": first.test,
        "case": first.case,
        "step": first.step,
        "judges": first.judges,
        "lost": result.lost,
        **{figure: asdict(spread) if spread else None for figure, spread in spreads.items()},
        "runs": [asdict(run) for run in result.runs],
    }
