"""What processes use, as Linux counts it under ``/proc``."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
_FORGET_PEAK = "5"  # proc(5), clear_refs: VmHWM begins anew from what is used now


class Family:
    """A process and all its descendants, those included that have ended and were waited for.

    One who may not be looked at, or has just ended, counts as nothing.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def cpu_seconds(self) -> float:
        """User and system time of all threads, in steps of a tick (10 ms)."""
        # In stat behind the name: utime, stime, cutime, cstime are the fields 12 to 15.
        return sum(sum(map(int, _stat(pid)[11:15])) for pid in self._pids()) / TICKS

    def peak_mb(self) -> float | None:
        """The sum of each process's peak of resident memory, in MiB; None when nothing is told."""
        return sum(map(_peak_kb, self._pids())) / 1024 or None

    def forget_peak(self) -> None:
        """Let the peaks begin anew; without the right to do so they stay as they are."""
        for pid in self._pids():
            try:
                (PROC / str(pid) / "clear_refs").write_text(_FORGET_PEAK)
            except OSError:
                pass

    def _pids(self) -> list[int]:
        children: defaultdict[int, list[int]] = defaultdict(list)
        for entry in PROC.iterdir():
            if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
                children[int(fields[1])].append(int(entry.name))
        found = [self._pid]
        for pid in found:
            found += children[pid]
        return found


def machine_cpu_seconds() -> float:
    """What everybody used since the machine started, as /proc/stat says: all but idle and waiting."""
    user, nice, system, _idle, _iowait, *others = map(int, (PROC / "stat").read_text().split()[1:8])
    return (user + nice + system + sum(others)) / TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold anything; none when it has gone."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _peak_kb(pid: int) -> int:
    try:
        status = (PROC / str(pid) / "status").read_text(errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
