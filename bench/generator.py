"""The process that makes the load, apart from the server's so that its own work does not count as theirs.

``python -m bench.generator`` reads a plan from standard input and prints what came of it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.connections import Connections
from bench.failure import BenchFailed
from bench.plan import Outcome, Plan, SmtpPlan, read_outcome, read_plan, write_outcome, write_plan
from bench.pop3 import Pop3Load
from bench.smtp import SmtpLoad
from bench.stopwatch import Stopwatch

CHECKOUT = Path(__file__).parent.parent
SPARE_SECONDS = 30.0  # to start and to end, beyond what the plan allows


def generate(plan: Plan) -> Outcome:
    """Carry the plan out in a process of its own; raises BenchFailed."""
    try:
        result = subprocess.run(
            [sys.executable, "-m", "bench.generator"],
            input=write_plan(plan), capture_output=True, text=True, cwd=CHECKOUT, check=False,
            timeout=plan.seconds + SPARE_SECONDS,
            start_new_session=True,  # a Ctrl-C is for the one who started it
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BenchFailed("The process that makes the load did not end, and was killed.") from None
    if result.returncode:
        raise BenchFailed(f"The load could not be made: {result.stderr.strip() or result.returncode}")
    return read_outcome(result.stdout)


def carry_out(plan: Plan) -> Outcome:
    """Carry the plan out here; raises OSError when the host has no address."""
    stopwatch = Stopwatch()
    if isinstance(plan, SmtpPlan):
        conversations, at_once = SmtpLoad(plan, stopwatch).conversations(), plan.sessions
    else:
        conversations, at_once = Pop3Load(plan, stopwatch).conversations(), 1
    connections = Connections(plan.host, plan.port, conversations, at_once)
    began, cpu_began = time.monotonic(), time.process_time()
    connections.run(plan.seconds)
    return Outcome(
        timings=stopwatch.timings(),
        troubles=tuple(connections.troubles),
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - cpu_began,
    )


def main() -> int:
    """Do it; the exit status is 1 when it could not begin."""
    plan = read_plan(sys.stdin.read())
    try:
        outcome = carry_out(plan)
    except OSError as error:
        print(f"{plan.host}:{plan.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    print(write_outcome(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
