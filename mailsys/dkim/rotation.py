"""Changes keys without a way into anybody's DNS: the next pair is made early, published by a person, and used
when every name server shows it.

Until then the old pair goes on signing, however long it takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from twisted.logger import Logger

from mailsys.dkim import keys
from mailsys.dkim.key_file import BadKeyFile, KeyFiles, State, StoredKey
from mailsys.interfaces import IWorkers

# Why these keys may not be used yet, in words; nothing when every name server shows them.
NotYet = Callable[[Sequence[StoredKey]], Awaitable[str]]

log = Logger(namespace="mailsys.dkim")


class Rotation:
    """``new_keys_after`` is how old keys become before they get successors, in seconds; 0 for never.

    ``retired_seconds`` is how long they stay after that: as long as a signature with them may hold.
    """

    def __init__(self, files: KeyFiles, workers: IWorkers, now: Callable[[], float], not_yet: NotYet) -> None:
        self._files = files
        self._workers = workers
        self._now = now
        self._not_yet = not_yet
        self.new_keys_after = 0.0
        self.retired_seconds = keys.RETIRED_SECONDS

    async def step(self, domains: Sequence[str]) -> bool:
        """Do what is due for each domain; did any key begin to sign?  The log tells what fails."""
        has_changed = False
        for domain in domains:
            try:
                has_changed |= await self._step(domain)
            except (OSError, BadKeyFile) as error:
                log.error("The DKIM keys of {domain} cannot be changed: {error}", domain=domain, error=error)
        return has_changed

    async def _step(self, domain: str) -> bool:
        await self._forget_old(domain)
        stored = await self._workers.run(self._files.read, domain)
        coming = keys.in_state(stored, State.NEXT)
        if coming:
            return await self._use(domain, coming)
        if self._is_due(keys.in_state(stored, State.ACTIVE)):
            await self._workers.run(keys.prepare_next, self._files, domain, self._now())
            log.warn(
                "Made the next DKIM keys for {domain}: publish what 'mailsys domain records {domain}' "
                "prints; until then the old ones go on signing",
                domain=domain,
            )
        return False

    def _is_due(self, active: Sequence[StoredKey]) -> bool:
        ages = [self._now() - key.since for key in active]
        return bool(ages) and 0 < self.new_keys_after <= max(ages)

    async def _use(self, domain: str, coming: Sequence[StoredKey]) -> bool:
        if reason := await self._not_yet(coming):
            log.info("The next DKIM keys of {domain} wait: {reason}", domain=domain, reason=reason)
            return False
        used = await self._workers.run(keys.use_next, self._files, domain, self._now())
        if used:
            log.info("Mail of {domain} is signed with its next DKIM keys from now on", domain=domain)
        return used

    async def _forget_old(self, domain: str) -> None:
        known = self._files, domain, self._now(), self.retired_seconds
        for gone in await self._workers.run(keys.forget_retired, *known):
            log.info("The DKIM record {name} is wanted no more: take it from DNS", name=gone.name)
