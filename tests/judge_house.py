"""What judges use of a host, for tests: a DNS in memory, a clock that stands still, and no disk."""

from fakes import OwnAddressOnly
from twisted.internet.task import Clock
from zones import ZoneResolver
from zope.interface import implementer

from mailsys.interfaces import ISenderHistory
from mailsys.judge.builtin import Surroundings
from mailsys.judge.memory.station import SenderMemory
from mailsys.threads import NoThreads

NOW = 1_800_000_000.0


@implementer(ISenderHistory)
class MemoryHistory:
    """Keeps what it was told; nobody is known but ``known`` senders."""

    def __init__(self, *known):
        self.known = set(known)
        self.noted = []

    def note(self, session, reverse_path, recipients):
        self.noted.append((str(reverse_path or ""), [str(recipient) for recipient in recipients]))

    async def knows(self, session, reverse_path, recipients):
        return str(reverse_path or "") in self.known

    async def knows_from_list(self, session, recipients):
        return False


def surroundings(configuration, resolver=None, clock=None, memory=None):
    """Of a host with this configuration; without a ``memory`` nobody is known, and none can be remembered."""
    return Surroundings(
        configuration,
        OwnAddressOnly(),
        resolver or ZoneResolver(),
        clock or Clock(),
        lambda: NOW,
        NoThreads(),
        memory or SenderMemory("/nonexistent/x/senders", NoThreads(), lambda: NOW, only_looks=True),
    )
