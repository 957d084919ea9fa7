"""The day itself, round by round: everybody comes, some are there when the server is restarted."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import ssl
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.life.census import Census, take_census, unfinished
from bench.life.ledger import Ledger
from bench.life.visitors import NotNow, Owner, Sender, calling, guess, look_in
from mailsys.lab.host import Host

QUIET_SECONDS = 30.0  # the longest that the server may take to be done with what came
AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """``restarts`` says in which rounds, and how: a signal for each."""

    messages: int
    rounds: int
    sessions: int
    octets: int
    restarts: dict[int, signal.Signals] = field(default_factory=dict)


class Day:
    """Lives a plan on a host that runs; ``censuses`` are of the last process, one a round."""

    def __init__(self, host: Host, plan: Plan, tell: Callable[[str], None]) -> None:
        self._host = host
        self._plan = plan
        self._tell = tell
        self._where = host.organisation
        self._dice = random.Random(plan.messages)
        self._tls = ssl.create_default_context(cafile=str(host.certificate))
        self.ledger = Ledger()
        self.censuses: list[Census] = []
        self._is_restarting = False
        self._left: set[Path] = set()
        line = b"What a day it was, and how much there is to tell of it\r\n"
        self._body = line * max(1, plan.octets // len(line))
        self._owners = [
            Owner(self.ledger, self._dice, one.address, one.password) for one in self._where.people
        ]

    async def live(self) -> None:
        """All rounds; raises LabFailed when the server ends by itself."""
        for number in range(1, self._plan.rounds + 1):
            begun = time.monotonic()
            await self._round(number, self._plan.messages * number // self._plan.rounds)
            await self._drain()
            census = await self._quiet()
            if number in self._plan.restarts:
                self.censuses.clear()
            self.censuses.append(census)
            self._tell(
                f"round {number}: {census.messages:,} messages, {self.ledger.logins:,} logins,"
                f" {time.monotonic() - begun:.1f} s, {census.pss_kb / 1024:.1f} MiB"
            )

    async def _round(self, number: int, goal: int) -> None:
        wanted = lambda: len(self.ledger.promised) < goal  # noqa: E731
        recipients = [one.address for one in self._where.people]
        sender = Sender(self.ledger, self._dice, recipients, self._body)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.sessions):
                group.create_task(self._again(wanted, "smtp", lambda line: sender.visit(line, wanted)))
            for turn, owner in enumerate(self._owners):
                service = "pop3s" if turn % 4 == 0 else "pop3"
                group.create_task(self._again(wanted, service, owner.visit, pause=1.0))
            stranger = f"nobody-{number}@{self._where.domain}"
            group.create_task(self._again(wanted, "pop3", lambda line: guess(line, stranger), pause=2.0))
            group.create_task(self._again(wanted, "smtp", look_in, pause=0.1))
            group.create_task(self._disturb(number, goal))

    async def _again(
        self,
        wanted: Callable[[], bool],
        service: str,
        visit: Callable[[Any], Coroutine[Any, Any, Any]],
        pause: float = AGAIN_SECONDS,
    ) -> None:
        while wanted():
            try:
                tls = self._tls if service == "pop3s" else None
                async with calling(self._where.address, self._where.port(service), tls) as line:
                    await visit(line)
            except NotNow:
                if not self._is_restarting:
                    self._host.check_alive()
            await asyncio.sleep(pause)

    async def _disturb(self, number: int, goal: int) -> None:
        """In the middle of the round: a reload, or a restart."""
        begun = len(self.ledger.promised)
        while len(self.ledger.promised) < (begun + goal) // 2:
            await asyncio.sleep(AGAIN_SECONDS)
        how = self._plan.restarts.get(number)
        if how is None:
            os.kill(self._host.pid or 0, signal.SIGHUP)
            return
        self._is_restarting = True
        await asyncio.to_thread(self._host.kill if how is signal.SIGKILL else self._host.stop)
        self._left = unfinished(self._host.directory / "data")
        self._host.start()
        await asyncio.to_thread(self._host.wait_until_ready)
        self._is_restarting = False

    async def _drain(self) -> None:
        """Everybody fetches what is left."""
        for owner in self._owners:
            left = 1
            while left:
                try:
                    async with calling(self._where.address, self._where.port("pop3")) as line:
                        left = await owner.visit(line)
                except NotNow:
                    await asyncio.sleep(AGAIN_SECONDS)

    async def _quiet(self) -> Census:
        """Wait until the log is settled and connections are gone, and count."""
        data = self._host.directory / "data"
        deadline = time.monotonic() + QUIET_SECONDS
        before = -1
        while True:
            census = take_census(self._host.pid or 0, data, len(self.ledger.promised), self._left)
            is_done = census.segments <= 1 and not census.spooled and not census.in_tmp
            if (is_done and census.descriptors == before) or time.monotonic() > deadline:
                return census
            before = census.descriptors
            await asyncio.sleep(1.0)
