"""A folder when it is opened: what is there, compared with what was known of it before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailsys.interfaces import Flags
from mailsys.store.folder_events import Event, History, events_of
from mailsys.store.messages import Messages


@dataclass(frozen=True, slots=True)
class Opening:
    """What the folder shows at first, and the events that nobody had noticed."""

    messages: Messages
    highest_modseq: int
    remembers_from: int
    expunged: Sequence[tuple[int, Sequence[int]]]
    events: Sequence[Event]


def clock_modseq(now: Callable[[], float], last: int) -> int:
    """The next modseq: microseconds of the clock, so that one that was forgotten is not met again."""
    return max(last + 1, int(now() * 1_000_000))


def compare(there: Sequence[tuple[int, Flags]], known: History | None, now: Callable[[], float]) -> Opening:
    """What differs from what is known has changed just now; from any thread, since it takes a while.

    ``there`` are all messages by rising UID; ``now`` gives seconds since 1970.
    """
    history = known or History(clock_modseq(now, 0))
    highest = max(history.highest_modseq, history.expunges_since)
    before = history.messages
    changed = [(uid, flags) for uid, flags in there if uid not in before or before[uid][1] != flags]
    gone: list[int] = []
    if len(before) + len(changed) > len(there):
        gone = sorted(before.keys() - {uid for uid, _flags in there})
    modseq = clock_modseq(now, highest) if changed or gone else highest
    messages = Messages()
    new = {uid for uid, _flags in changed}
    for uid, flags in there:
        messages.add(uid, flags, modseq if uid in new else before[uid][0])
    events = events_of(modseq, changed)
    # Were a folder copied with its uidlist, two would share this history.
    expunged = [(at, [uid for uid in uids if uid not in messages]) for at, uids in history.expunged]
    if gone:
        events.append(Event(modseq, None, gone))
        expunged.append((modseq, gone))
    return Opening(messages, modseq, history.expunges_since, expunged, events)
