"""``python -m bench``: measure, and tell."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.failure import BenchFailed
from bench.figures import Figures, group
from bench.machine import this_machine
from bench.options import read_options
from bench.repetition import run_once
from bench.report import as_json, progress, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; the exit status is 1 when something failed or is missing."""
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    figures: list[Figures] = []

    def tell(one: Figures) -> None:
        figures.append(one)
        print(progress(one), file=sys.stderr, flush=True)

    try:
        # All is removed at the very end only: a disk that has much to forget is slow for a while.
        with tempfile.TemporaryDirectory(prefix="mailsys-bench-", dir=options.folder) as name:
            folder = Path(name)
            machine = this_machine(folder)
            for repetition in range(1, options.repeat + 1):
                run_once(options, folder / str(repetition), tell)
    except (BenchFailed, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    results = group(figures)
    print(as_json(machine, results) if options.json else table(machine, results))
    return 1 if any(result.lost or result.troubles for result in results) else 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM as Ctrl-C: the server is stopped and the folder removed."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
