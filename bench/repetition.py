"""One repetition of all that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.cases import cases
from bench.disk import measure_disk
from bench.figures import Figures
from bench.measure import measure
from bench.options import Options
from bench.target import Target

Tell = Callable[[Figures], None]


def run_once(options: Options, folder: Path, tell: Tell) -> None:
    """Measure every case, with all data below the new ``folder``; raises BenchFailed, OSError."""
    folder.mkdir()
    if "disk" in options.tests:
        for one in measure_disk(folder, options.syncs, options.seconds):
            tell(one)
    if options.tests == ("disk",):
        return
    if options.other is not None:
        _measure_server(options, options.other, None, tell)
    else:
        _measure_own_servers(options, folder, tell)


def _measure_own_servers(options: Options, folder: Path, tell: Tell) -> None:
    from bench.own_server import own_server  # another server can be measured where mailsys is not installed

    for has_judges in options.judges:
        place = folder / ("judges" if has_judges else "no-judges")
        with own_server(place, options, has_judges=has_judges) as target:
            _measure_server(options, target, has_judges, tell)


def _measure_server(options: Options, target: Target, has_judges: bool | None, tell: Tell) -> None:
    for case in cases(options, target):
        for one in measure(case, target, options.settle_seconds):
            tell(replace(one, judges=has_judges))
