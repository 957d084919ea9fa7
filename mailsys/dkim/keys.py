"""What happens to keys in their life: made, published in advance, used, retired, forgotten.

Everything may wait for a disk, and raises OSError and BadKeyFile.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mailsys.dkim.key_file import KeyFiles, State, StoredKey, make_pair

# Mail that is on its way was signed with the old key; so long its records should stay at least.
RETIRED_SECONDS = 30 * 24 * 3600.0


def first_keys(files: KeyFiles, domain: str, now: float) -> bool:
    """Make a pair that signs at once, unless the domain has keys; was it made?"""
    with files.changing():
        if files.read(domain):
            return False
        files.write(domain, make_pair(domain, _stem((), now), State.ACTIVE, now))
    return True


def prepare_next(files: KeyFiles, domain: str, now: float) -> bool:
    """Make the pair that will sign next, unless there is one; was it made?"""
    with files.changing():
        keys = files.read(domain)
        if any(key.state is State.NEXT for key in keys):
            return False
        files.write(domain, (*keys, *make_pair(domain, _stem(keys, now), State.NEXT, now)))
    return True


def use_next(files: KeyFiles, domain: str, now: float) -> bool:
    """Let the next pair sign, and retire the one that does; False when there is no next pair."""
    with files.changing():
        keys = files.read(domain)
        if not any(key.state is State.NEXT for key in keys):
            return False
        follows = {State.NEXT: State.ACTIVE, State.ACTIVE: State.RETIRED}
        files.write(
            domain,
            tuple(
                replace(key, state=follows[key.state], since=now) if key.state in follows else key
                for key in keys
            ),
        )
    return True


def forget_retired(
    files: KeyFiles, domain: str, now: float, after: float = RETIRED_SECONDS
) -> Sequence[StoredKey]:
    """Drop keys that nobody needs any more, and return them: their records may be taken from DNS.

    ``after`` is how many seconds after its last signature a key may still be asked for.
    """
    if not _outdated(files.read(domain), now - after):
        return ()
    with files.changing():
        keys = files.read(domain)
        gone = _outdated(keys, now - after)
        files.write(domain, tuple(key for key in keys if key not in gone))
    return gone


def forget_domain(files: KeyFiles, domain: str) -> None:
    """Its keys go with it."""
    if files.stamp(domain) is not None:
        with files.changing():
            files.remove(domain)


def in_state(keys: Sequence[StoredKey], state: State) -> tuple[StoredKey, ...]:
    """Those of a state."""
    return tuple(key for key in keys if key.state is state)


def _outdated(keys: Sequence[StoredKey], before: float) -> tuple[StoredKey, ...]:
    return tuple(key for key in in_state(keys, State.RETIRED) if key.since < before)


def _stem(keys: Sequence[StoredKey], now: float) -> str:
    """What selectors of today begin with; never twice the same, since DNS is slow to forget."""
    used = {key.selector.rpartition("-")[0] for key in keys}
    today = f"m{datetime.fromtimestamp(now, UTC):%Y%m%d}"
    later = (f"{today}-{number}" for number in itertools.count(2))
    return next(stem for stem in itertools.chain([today], later) if stem not in used)
