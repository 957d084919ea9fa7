"""``python -m bench.waiting``: how fast does a queue with very much in it start, list and serve?

It fills a queue with messages for hosts that are dead (one, or many), starts the queue over it in a
process of its own, and lets one fresh message for a living host come in.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from mailsys.disk import Disk
from mailsys.interfaces import Attempt, QueueAction
from mailsys.message.address import Address
from mailsys.message.content import Content, MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred as PutOff
from mailsys.message.outcome import Delivered, Step
from mailsys.message.reply import Reply
from mailsys.queue import FILE_NAME, FOLDER, rows
from mailsys.queue.contents import Contents
from mailsys.queue.database import BUSY_SECONDS, QueueDatabase
from mailsys.queue.listing import messages
from mailsys.sqlite import open_reader

ANN, BOB = Address("ann", "home.test"), Address("bob", "living.test")
LETTER = MemoryContent([b"Subject: hello\r\n\r\n" + b"A line of text.\r\n" * 20])
OK = Attempt(Delivered("living.test"), Step.MESSAGE, "living.test", "", "250 OK")
DEAD = Attempt(PutOff(Reply(451, "4.4.1", "no answer")), Step.CONNECT)
AT_ONCE = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill, start, and print what came of it."""
    parser = argparse.ArgumentParser(prog="bench.waiting", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--hosts", type=int, default=1, help="dead hosts that they are for")
    parser.add_argument("--run", metavar="DATA", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        print(json.dumps(run(options.run)))
        return 0
    with tempfile.TemporaryDirectory(prefix="mailsys-bench-") as data:
        fill(data, options.messages, options.hosts)
        listed = first_page(data)
        command = [sys.executable, "-m", "bench.waiting", "--run", data]
        result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    figures = json.loads(result.stdout) | {"list_seconds": listed}
    print(f"{options.messages:,} messages for {options.hosts:,} dead hosts")
    for name, value in figures.items():
        print(f"  {name:<22} {value:.3f}")
    return 0


def fill(data: str, count: int, hosts: int) -> None:
    """Messages that were tried once, and wait."""
    contents = Contents(Disk(), os.path.join(data, FOLDER))
    contents.make_folders()
    database = QueueDatabase(os.path.join(data, FILE_NAME))
    began = time.time() - 3600
    for start in range(0, count, AT_ONCE):
        arrivals = []
        for number in range(start, min(start + AT_ONCE, count)):
            to = Address("someone", f"dead{number % hosts}.test")
            envelope = Envelope(f"m{number:07}.1", ANN, (to,))
            with open(contents.path(envelope.id), "wb") as file:
                file.write(LETTER.read(0, LETTER.size))
            arrivals.append(rows.Arrival(envelope, began + number / 1000, LETTER.size))
        database.run([partial(rows.add, arrivals=arrivals, destination_of=_domain)], is_durable=False)
    database.close()


def first_page(data: str) -> float:
    """Seconds for what ``mailsys queue list`` reads."""
    began = time.perf_counter()
    with closing(open_reader(os.path.join(data, FILE_NAME), BUSY_SECONDS)) as connection:
        assert len(messages(connection, [], is_finished=False, limit=101)) > 1
    return time.perf_counter() - began


class World:
    """Dead hosts take their time to say nothing."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.tried = 0
        self.on_delivered: Any = None

    async def deliver(  # noqa: D102 - as the interface says
        self, envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        from twisted.internet.task import deferLater

        self.tried += 1
        if recipients[0].domain == BOB.domain:
            self.on_delivered()
            return {recipient: OK for recipient in recipients}
        await deferLater(self._reactor, 0.5)
        return {recipient: DEAD for recipient in recipients}


class _NoJournal:
    def record(self, event: object) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Nothing."""


class _NoNotices:
    async def compose(self, *_about: object) -> tuple[()]:
        """Nobody is told."""
        return ()


def run(data: str) -> dict[str, float]:
    """In the process that is measured."""
    from twisted.internet import reactor as global_reactor
    from twisted.internet.defer import Deferred
    from twisted.internet.task import deferLater

    from mailsys.config.retry import parse_retry
    from mailsys.queue.runner import QueueLimits
    from mailsys.queue.station import Queue, QueueSettings
    from mailsys.threads import Workers

    reactor: Any = global_reactor
    figures: dict[str, float] = {"idle_megabytes": _megabytes()}
    workers = Workers(reactor, 4, "files")
    world: Any = World(reactor)
    settings = QueueSettings(
        parse_retry("15m 30m 1h then 8h until 5d"), QueueLimits(), 7 * 86_400.0, 4 * 3600.0
    )
    journal: Any = _NoJournal()
    notices: Any = _NoNotices()
    queue = Queue(
        Disk(), data, settings, delivery=world, notices=notices, journal=journal, workers=workers,
        destination_of=_domain, reactor=reactor, now=time.time, chance=random.random,
    )  # fmt: skip

    async def measure() -> None:
        workers.start()
        began = time.perf_counter()
        await queue.prepare()
        await queue.start()
        figures["start_seconds"] = time.perf_counter() - began
        await deferLater(reactor, 2)
        envelope = Envelope("zfresh.1", ANN, (BOB,))
        action = QueueAction(envelope, time.time(), b"", LETTER.size)
        delivered: Deferred[float] = Deferred()
        world.on_delivered = lambda: delivered.callback(time.perf_counter())
        began = time.perf_counter()
        await workers.run(queue.spool.write, action, LETTER)
        await workers.run(queue.spool.lay, action)
        queue.spool.announce(action)
        figures["fresh_seconds"] = await delivered - began
        await deferLater(reactor, 3)
        figures["attempts_at_dead_hosts"] = world.tried - 1
        await queue.stop()
        await queue.close()
        await workers.stop()
        figures["peak_megabytes"] = _megabytes()
        reactor.stop()

    failures: list[object] = []

    def fail(failure: object) -> None:
        failures.append(failure)
        reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(measure()).addErrback(fail))
    reactor.run()
    if failures:
        raise RuntimeError(str(failures[0]))
    return figures


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _domain(address: Address) -> str:
    return address.domain


if __name__ == "__main__":
    sys.exit(main())
