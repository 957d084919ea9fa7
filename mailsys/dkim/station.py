"""Signing as a station: keys for each of our domains, taken over as they change, and who signs with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.dkim import keys
from mailsys.dkim.key_file import BadKeyFile, KeyFiles
from mailsys.dkim.keyring import Keyring
from mailsys.dkim.rotation import NotYet, Rotation
from mailsys.dkim.signer import Signer
from mailsys.interfaces import DirectoryUnavailable, HostStops, ISigner, IWorkers
from mailsys.message.content import Content

LOOK_SECONDS = 10.0
ROTATE_SECONDS = 1800.0

log = Logger(namespace="mailsys.dkim")


@implementer(ISigner)
class Signing:
    """``domains`` tells which are ours.  The keys of a new one are made here, if no command has done it."""

    def __init__(
        self,
        data: str,
        domains: Callable[[], Awaitable[Sequence[str]]],
        reactor: Any,
        workers: IWorkers,
        now: Callable[[], float],
        not_yet: NotYet,
    ) -> None:
        self._files = KeyFiles(data)
        self._domains = domains
        self._workers = workers
        self._now = now
        self._keyring = Keyring(self._files, workers)
        self._signer = Signer(self._keyring, workers, now, 0.0)
        self._is_on = True
        self._failed: set[str] = set()
        self._rotation = Rotation(self._files, workers, now, not_yet)
        self._loops = [self._loop(reactor, self.look), self._loop(reactor, self.rotate)]
        self._ended: list[Deferred[LoopingCall]] = []

    @staticmethod
    def _loop(reactor: Any, step: Callable[[], Coroutine[Any, Any, None]]) -> LoopingCall:
        loop = LoopingCall(lambda: Deferred.fromCoroutine(step()))
        loop.clock = reactor
        return loop

    def configure(
        self, *, is_on: bool, valid_seconds: float, new_keys_after: float, ahead_seconds: float = 0.0
    ) -> None:
        """Sign or not, for how long signatures hold, and when keys get successors; in seconds.

        Mail may be signed ``ahead_seconds`` before it leaves, and its signature holds from then on.
        """
        self._is_on = is_on
        self._signer.valid_seconds = valid_seconds
        self._rotation.new_keys_after = new_keys_after
        self._rotation.retired_seconds = max(keys.RETIRED_SECONDS, ahead_seconds + valid_seconds)

    async def lines(self, content: Content, leaves_at: float = 0.0) -> Sequence[bytes]:
        """A DKIM-Signature for each key of the domain in From; raises OSError."""
        return await self._signer.lines(content, leaves_at) if self._is_on else ()

    async def start(self) -> None:
        """Return when there are keys for every domain; from then on look whether they change."""
        await self.look()
        looking, rotating = self._loops
        self._ended = [looking.start(LOOK_SECONDS, now=False), rotating.start(ROTATE_SECONDS)]

    async def stop(self) -> None:
        """Look no more; a look that was begun is finished."""
        for loop, ended in zip(self._loops, self._ended, strict=False):
            if loop.running:
                loop.stop()
                await ended

    async def rotate(self) -> None:
        """Make and use the next keys where that is due; the log tells what fails."""
        try:
            if self._is_on and await self._rotation.step(await self._domains()):
                await self._keyring.refresh()
        except (HostStops, DirectoryUnavailable):
            pass
        except Exception:
            log.failure("The DKIM keys could not be changed")

    async def look(self) -> None:
        """Make what keys are missing, and take over those that have changed; the log tells what fails."""
        try:
            for domain in await self._domains() if self._is_on else ():
                if not self._keyring.active(domain):
                    await self._make(domain)
            await self._keyring.refresh()
        except (HostStops, DirectoryUnavailable):
            pass  # that is told already by who could not read it
        except Exception:
            log.failure("The DKIM keys could not be looked at")

    async def _make(self, domain: str) -> None:
        """What fails is told once, and tried again at each look."""
        try:
            made = await self._workers.run(keys.first_keys, self._files, domain, self._now())
        except (OSError, BadKeyFile) as error:
            if domain not in self._failed:
                log.error("There are no DKIM keys for {domain}: {error}", domain=domain, error=error)
            self._failed.add(domain)
            return
        self._failed.discard(domain)
        if made:
            log.warn(
                "Made DKIM keys for {domain}: publish what 'mailsys domain records {domain}' prints",
                domain=domain,
            )
