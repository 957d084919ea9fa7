"""``python -m bench.life``: live a day; the exit status is 1 when something leaks, or mail is lost."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.life.census import leaks, slope, table
from bench.life.day import Day, Plan
from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation, Person
from mailsys.lab.ports import choose_port_base

PEOPLE = 20
MEMORY_KB = 8 * 1024
SLOPE_KB = 50.0


def new_host(folder: Path, people: int = PEOPLE) -> Host:
    """A host of our own, not started, on loopback."""
    address = f"127.0.4.{os.getpid() % 254 + 1}"
    everyone = tuple(Person(f"user{number}@life.test", f"secret {number}") for number in range(people))
    host = Host(
        Organisation("life", "life.test", everyone, address, choose_port_base([address], None)), folder
    )
    host.make()
    return host


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m bench.life", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--octets", type=int, default=4096)
    parser.add_argument("--dir", help="where the server's folder is made")
    asked = parser.parse_args(arguments)
    kinds = (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)
    restarts = {number * 2: how for number, how in enumerate(kinds, 1) if number * 2 < asked.rounds // 2}
    plan = Plan(asked.messages, asked.rounds, asked.sessions, asked.octets, restarts)
    with tempfile.TemporaryDirectory(prefix="mailsys-life-", dir=asked.dir) as folder:
        try:
            return live(new_host(Path(folder) / "host"), plan)
        except LabFailed as error:
            print(f"life: {error}", file=sys.stderr)
            return 1


def live(host: Host, plan: Plan) -> int:
    """Live the plan on a new host, and tell."""
    begun = time.monotonic()
    try:
        host.start()
        host.wait_until_ready()
        day = Day(host, plan, lambda words: print(words, file=sys.stderr, flush=True))
        asyncio.run(day.live())
    finally:
        host.stop()
    ledger, warm = day.ledger, day.censuses[1:] or day.censuses
    print(table(day.censuses))
    print(
        f"{len(ledger.promised):,} messages, {ledger.logins:,} logins, {ledger.broken:,} broken connections,"
        f" {len(plan.restarts)} restarts in {time.monotonic() - begun:.0f} s;"
        f" {slope(warm):+.1f} KiB for 1,000 messages after the first round of the last process"
    )
    found = leaks(warm, MEMORY_KB, SLOPE_KB)
    if ledger.lost or ledger.doubled:
        found.append(f"{ledger.lost} messages are lost, {ledger.doubled} are there twice")
    print("\n".join(found) or "Nothing leaks, nothing is lost, and nothing is there twice.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
