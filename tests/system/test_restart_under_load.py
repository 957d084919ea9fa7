"""A restart, and a reload, while fifty clients hand in mail: nobody is refused, nothing lost or doubled."""

import asyncio
import os
import random
import signal

import pytest
from real_host import ADDRESS
from service_manager import ServiceManager

from bench.life.ledger import Ledger
from bench.life.visitors import NotNow, Owner, Sender, calling

SESSIONS = 50
BODY = b"A line like many others\r\n" * 100


@pytest.fixture
def manager(own_host, tmp_path):
    """A service with sockets that outlive it."""
    manager = ServiceManager(own_host, tmp_path)
    for service in ("smtp", "pop3"):
        manager.listen(ADDRESS, own_host.organisation.port(service))
    manager.start()
    manager.hear(["READY", "1"])
    yield manager
    manager.close()


class Crowd:
    """Clients that hand in one message after another; who is turned away comes again."""

    def __init__(self, host):
        self.ledger = Ledger()
        self.ended = []  # how connections ended, but by our own QUIT
        self.over = False
        people = host.organisation.people
        dice = random.Random(0)
        dice.random = lambda: 1.0  # nobody hangs up
        self._where = host.organisation
        self._sender = Sender(self.ledger, dice, [person.address for person in people], BODY)
        self._owners = [Owner(self.ledger, dice, person.address, person.password) for person in people]

    async def visit(self):
        while not self.over:
            try:
                async with calling(ADDRESS, self._where.port("smtp")) as line:
                    await self._sender.visit(line, lambda: not self.over)
            except NotNow as reason:
                self.ended.append(str(reason))

    async def more(self, count):
        """Wait until so many more messages are safe."""
        goal = len(self.ledger.promised) + count
        async with asyncio.timeout(30):
            while len(self.ledger.promised) < goal:
                await asyncio.sleep(0.01)

    async def fetch(self):
        for owner in self._owners:
            async with calling(ADDRESS, self._where.port("pop3")) as line:
                await owner.visit(line)


async def with_crowd(manager, disturb):
    crowd = Crowd(manager.host)
    visits = [asyncio.create_task(crowd.visit()) for _ in range(SESSIONS)]
    await crowd.more(100)
    await disturb(crowd)
    await crowd.more(100)
    crowd.over = True
    await asyncio.gather(*visits)
    await crowd.fetch()
    assert crowd.ledger.lost == 0
    assert crowd.ledger.doubled == 0
    return crowd


def test_a_restart_loses_nothing_and_refuses_nobody(manager):
    async def restart(crowd):
        assert await asyncio.to_thread(manager.stop) == 0
        manager.start()
        await asyncio.to_thread(manager.hear, ["READY", "1"])

    crowd = asyncio.run(with_crowd(manager, restart))
    assert len(crowd.ended) >= SESSIONS
    assert {words[:9] for words in crowd.ended} == {"421 4.3.2"}


def test_a_kill_loses_nothing_either(manager):
    """Clients hear nothing then; what was answered is there once, what was not is theirs to send again."""

    async def kill(crowd):
        manager.process.kill()
        await asyncio.to_thread(manager.process.wait)
        manager.start()
        await asyncio.to_thread(manager.hear, ["READY", "1"])

    crowd = asyncio.run(with_crowd(manager, kill))
    assert len(crowd.ended) >= SESSIONS


def test_a_reload_is_noticed_by_nobody(manager):
    async def reload(crowd):
        for _ in range(5):
            os.kill(manager.process.pid, signal.SIGHUP)
            await asyncio.to_thread(manager.hear, ["RELOADING", "1"])
            await asyncio.to_thread(manager.hear, ["READY", "1"])
            await crowd.more(20)

    assert asyncio.run(with_crowd(manager, reload)).ended == []
