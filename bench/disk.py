"""What the disk can do: nobody's 250 comes faster than a sync."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figures
from bench.stopwatch import Stopwatch

RECORD_OCTETS = 10 * 1024
SHARING = (1, 10, 50)  # how many records one sync covers
SYNC = "sync"


def measure_disk(folder: Path, syncs: int, seconds: float) -> Iterator[Figures]:
    """Append records to a file in ``folder`` and sync, as an intake log does; raises OSError.

    So many syncs, or as many as fit into the seconds, for each number of records that share one.
    """
    for sharing in SHARING:
        with tempfile.TemporaryFile(dir=folder, prefix="mailsys-bench-") as file:
            yield _figures(sharing, _append(file.fileno(), sharing, syncs, seconds))


def _append(descriptor: int, sharing: int, syncs: int, seconds: float) -> Stopwatch:
    stopwatch = Stopwatch()
    records = b"m" * RECORD_OCTETS * sharing
    deadline = time.monotonic() + seconds
    for _ in range(syncs):
        began = stopwatch.now()
        left = memoryview(records)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fdatasync(descriptor)
        stopwatch.note(SYNC, began)
        if time.monotonic() > deadline:
            break
    return stopwatch


def _figures(sharing: int, stopwatch: Stopwatch) -> Figures:
    timing = stopwatch.timings()[SYNC]
    return Figures(
        test="disk",
        case=f"10 kB appends, {sharing} a sync",
        step="append",
        count=timing.count * sharing,
        per_second=timing.count * sharing / timing.seconds,
        p50_ms=timing.p50_ms,
        p99_ms=timing.p99_ms,
    )
