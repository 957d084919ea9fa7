"""What machine the figures are of."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """``load`` is the average of the last minute before we began: what else keeps the machine busy."""

    date: str
    cores: int
    python: str
    kernel: str
    file_system: str
    load: float


def this_machine(folder: Path) -> Machine:
    """As it is now, with the file system of the folder where the data goes."""
    return Machine(
        date=time.strftime("%Y-%m-%d %H:%M"),
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        kernel=f"{platform.system()} {platform.release()}",
        file_system=file_system(folder),
        load=os.getloadavg()[0],
    )


def file_system(folder: Path) -> str:
    """Its type, such as ext4, by the deepest mount that holds the folder; "unknown" when that is hidden."""
    path = folder.resolve()
    found, depth = "unknown", -1
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return found
    for mount in mounts:
        _device, where, kind = mount.split(" ")[:3]
        # A later mount on the same place hides the earlier one.
        if path.is_relative_to(where) and len(Path(where).parts) >= depth:
            found, depth = kind, len(Path(where).parts)
    return found
