"""The hash of a body, for all signatures of a message in one pass (RFC 6376 3.7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mailsys.dkim.canonical import BODIES
from mailsys.interfaces import IWorkers
from mailsys.message.content import Content

# What is hashed at once in the caller's thread; more takes over a millisecond, and goes to another one.
AT_ONCE_OCTETS = 64 * 1024


@dataclass(frozen=True, slots=True)
class WantedHash:
    """How a signature wants the body hashed; ``octets`` is its l=."""

    canonicalization: str
    octets: int | None = None


@dataclass(frozen=True, slots=True)
class BodyHash:
    """SHA-256, and how long the canonical body is in all.  Of one shorter than l= there is no digest."""

    digest: bytes | None
    octets: int


class BodyHashes:
    """Fed with a body, cut anywhere."""

    def __init__(self, wanted: Iterable[WantedHash]) -> None:
        by_kind: dict[str, set[int | None]] = {}
        for one in wanted:
            by_kind.setdefault(one.canonicalization, set()).add(one.octets)
        self._passes = {kind: _Pass(kind, limits) for kind, limits in by_kind.items()}

    def feed(self, piece: bytes) -> None:
        """The next octets of the body."""
        for one in self._passes.values():
            one.feed(piece)

    def finish(self) -> Mapping[WantedHash, BodyHash]:
        """All that was wanted."""
        return {
            WantedHash(kind, limit): found
            for kind, one in self._passes.items()
            for limit, found in one.finish().items()
        }


class _Pass:
    """One canonicalization; a hash for each l= is the running one at that octet."""

    def __init__(self, kind: str, limits: set[int | None]) -> None:
        self._body = BODIES[kind]()
        self._limits = limits
        self._cuts = sorted((limit for limit in limits if limit is not None), reverse=True)
        self._digests: dict[int | None, bytes] = {}
        self._hash = hashlib.sha256()
        self._octets = 0

    def feed(self, piece: bytes) -> None:
        self._take(self._body.feed(piece))

    def finish(self) -> dict[int | None, BodyHash]:
        self._take(self._body.finish())
        self._cut(self._octets)
        self._digests[None] = self._hash.digest()
        return {limit: BodyHash(self._digests.get(limit), self._octets) for limit in self._limits}

    def _take(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            done = 0
            while self._cuts and self._cuts[-1] <= self._octets + len(piece):
                until = self._cuts[-1] - self._octets
                self._hash.update(piece[done:until])
                done = until
                self._cut(self._cuts[-1])
            self._hash.update(piece[done:] if done else piece)
            self._octets += len(piece)

    def _cut(self, octets: int) -> None:
        """Note the hash as it is now for the l= that is reached."""
        if self._cuts and self._cuts[-1] == octets:
            self._digests[self._cuts.pop()] = self._hash.digest()


async def hash_body(
    content: Content, body_start: int, wanted: Iterable[WantedHash], workers: IWorkers
) -> Mapping[WantedHash, BodyHash]:
    """Hash what comes after the header; a large body in a thread.  Raises OSError."""
    if content.size - body_start <= AT_ONCE_OCTETS:
        return hash_body_here(content, body_start, wanted)
    return await workers.run(hash_body_here, content, body_start, tuple(wanted))


def hash_body_here(
    content: Content, body_start: int, wanted: Iterable[WantedHash]
) -> Mapping[WantedHash, BodyHash]:
    """In this thread.  May wait for a disk; raises OSError."""
    hashes = BodyHashes(wanted)
    to_skip = body_start
    for piece in content.pieces():
        if to_skip < len(piece):
            hashes.feed(piece[to_skip:] if to_skip else piece)
        to_skip = max(0, to_skip - len(piece))
    return hashes.finish()
