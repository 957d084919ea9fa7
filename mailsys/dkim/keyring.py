"""The keys that sign at present, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted.logger import Logger

from mailsys.dkim.key_file import BadKeyFile, KeyFiles, State
from mailsys.dkim.keys import in_state
from mailsys.dkim.sign import SigningKey
from mailsys.interfaces import IWorkers


@dataclass(frozen=True, slots=True)
class _Held:
    """What a file said when it had this stamp."""

    stamp: tuple[int, int] | None
    keys: tuple[SigningKey, ...]


class Keyring:
    """Reads only files that have changed, in a thread."""

    _log = Logger(namespace="mailsys.dkim")

    def __init__(self, files: KeyFiles, workers: IWorkers) -> None:
        self._files = files
        self._workers = workers
        self._held: Mapping[str, _Held] = {}

    def active(self, domain: str) -> Sequence[SigningKey]:
        """The keys with which mail of this domain is signed; none for one that has no file."""
        held = self._held.get(domain)
        return held.keys if held is not None else ()

    @property
    def domains(self) -> Sequence[str]:
        """All that have keys."""
        return tuple(self._held)

    async def refresh(self) -> None:
        """Take over what has changed.  A file that cannot be read leaves its domain's keys as they were."""
        self._held = await self._workers.run(self._read, self._held)

    def _read(self, before: Mapping[str, _Held]) -> Mapping[str, _Held]:
        try:
            domains = self._files.domains()
        except OSError as error:
            self._log.error("The DKIM keys cannot be looked at: {error}", error=error)
            return before
        return {domain: self._read_one(domain, before.get(domain)) for domain in domains}

    def _read_one(self, domain: str, before: _Held | None) -> _Held:
        stamp = None
        try:
            stamp = self._files.stamp(domain)
            if before is not None and stamp == before.stamp:
                return before
            keys = in_state(self._files.read(domain), State.ACTIVE)
            return _Held(stamp, tuple(key.signing_key() for key in keys))
        except (OSError, BadKeyFile) as error:
            kept = before.keys if before is not None else ()
            what = "those in use stay" if kept else "its mail is not signed"
            self._log.error(
                "The DKIM keys of {domain} cannot be read, {what}: {error}",
                domain=domain,
                what=what,
                error=error,
            )
            return _Held(stamp, kept)
