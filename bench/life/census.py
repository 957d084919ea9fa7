"""What a server holds at a moment: memory, descriptors, threads, files that should come and go."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, fields
from pathlib import Path

PROC = Path("/proc")
POOLED_THREADS = 30  # pools begin a thread when it is first needed, up to a bound


@dataclass(frozen=True, slots=True)
class Census:
    """Counted when nobody is connected; ``messages`` were handed in so far, sizes are in KiB."""

    messages: int
    rss_kb: int
    pss_kb: int
    descriptors: int
    threads: int
    segments: int
    spooled: int
    in_tmp: int
    in_mailboxes: int


def unfinished(data: Path) -> set[Path]:
    """Copies that are being written, or were when their writer was killed: those go after 36 hours."""
    return set((data / "mail").glob("**/tmp/*"))


def take_census(pid: int, data: Path, messages: int, left: Set[Path] = frozenset()) -> Census:
    """Count, but not what a killed process has ``left``; raises OSError when the process is no more."""
    process = PROC / str(pid)
    rollup = dict(re.findall(r"^(\w+): +(\d+) kB$", (process / "smaps_rollup").read_text(), re.MULTILINE))
    intake = data / "intake"
    return Census(
        messages,
        rss_kb=int(rollup["Rss"]),
        pss_kb=int(rollup["Pss"]),
        descriptors=len(list((process / "fd").iterdir())),
        threads=len(list((process / "task").iterdir())),
        segments=len(list(intake.glob("*.log"))),
        spooled=len(list((intake / "spool").glob("*"))),
        in_tmp=len(unfinished(data) - left),
        in_mailboxes=sum(len(list((data / "mail").glob(f"**/{folder}/*"))) for folder in ("new", "cur")),
    )


def slope(censuses: Sequence[Census]) -> float:
    """KiB of memory for each 1,000 messages, by least squares."""
    xs, ys = [one.messages / 1000 for one in censuses], [one.pss_kb for one in censuses]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0


def leaks(censuses: Sequence[Census], memory_kb: int, memory_slope_kb: float) -> list[str]:
    """Sentences about what has grown from the first to the last, which are of one process.

    Memory may grow by so many KiB in all, or by so many for 1,000 messages.
    """
    first, last = censuses[0], censuses[-1]
    found = []
    if last.pss_kb - first.pss_kb > memory_kb and slope(censuses) > memory_slope_kb:
        found.append(f"memory grew from {first.pss_kb} to {last.pss_kb} KiB")
    for name, many in (("descriptors", 0), ("threads", POOLED_THREADS)):
        if getattr(last, name) > max(
            many, *(getattr(one, name) for one in censuses[: len(censuses) // 2 or 1])
        ):
            found.append(f"{name} grew from {getattr(first, name)} to {getattr(last, name)}")
    found += [
        f"{getattr(last, name)} files are left: {name}"
        for name in ("spooled", "in_tmp", "in_mailboxes")
        if getattr(last, name)
    ]
    if last.segments > 1:
        found.append(f"{last.segments} segments of the log are left")
    return found


def table(censuses: Sequence[Census]) -> str:
    """For a person."""
    names = [field.name for field in fields(Census)]
    rows = [names, *([f"{getattr(one, name):,}" for name in names] for one in censuses)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
