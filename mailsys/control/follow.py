"""``mailsys trace --follow``: stories as they happen, for who watches while a user sends again."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from mailsys.control.trace import as_json, print_story
from mailsys.interfaces import JournalEvent
from mailsys.journal.reader import JournalReader
from mailsys.journal.wanted import Wanted

POLL_SECONDS = 0.3
LOOK_BACK_SECONDS = 10.0  # an event is written up to some moments after it happened
EVENTS_AT_ONCE = 2000


class Follower:
    """Gives each event once.  ``now`` tells seconds since 1970."""

    def __init__(self, wanted: Wanted, now: Callable[[], float]) -> None:
        self._wanted = wanted
        self._now = now
        self._from = now()
        self._seen: dict[tuple[str, str], float] = {}

    def begin(self, journal: JournalReader) -> None:
        """What is there already is not told."""
        self._take(journal)

    def new(self, journal: JournalReader) -> list[Sequence[JournalEvent]]:
        """What has happened since the last look, story by story."""
        stories: dict[str, list[JournalEvent]] = {}
        for event in self._take(journal):
            stories.setdefault(event.id, []).append(event)
        return [events for id_, events in stories.items() if journal.is_wanted(self._wanted, id_)]

    def _take(self, journal: JournalReader) -> list[JournalEvent]:
        # A clock that was set back: what happens now is earlier than what was seen last.
        self._from = min(self._from, self._now())
        found = journal.since(self._from - LOOK_BACK_SECONDS, EVENTS_AT_ONCE)
        fresh = [event for event in found if (event.id, event.key) not in self._seen]
        self._seen.update({(event.id, event.key): event.at for event in fresh})
        if fresh:
            self._from = max(self._from, fresh[-1].at)
            edge = self._from - LOOK_BACK_SECONDS
            self._seen = {event: at for event, at in self._seen.items() if at >= edge}
        return fresh


def follow(path: str, wanted: Wanted, *, is_json: bool) -> int:
    """Print until Ctrl-C; raises sqlite3.Error, KeyboardInterrupt."""
    follower = Follower(wanted, time.time)
    if not is_json:
        print("Waiting for what happens from now on; Ctrl-C ends it.", file=sys.stderr)
    is_first = True
    while True:
        inode = _inode(path)
        with JournalReader(path) as journal:
            if is_first:
                follower.begin(journal)
                is_first = False
            while _inode(path) == inode:  # another file is there when a damaged one was set aside
                _print(follower.new(journal), is_json=is_json)
                time.sleep(POLL_SECONDS)


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        time.sleep(POLL_SECONDS)  # being replaced
        return os.stat(path).st_ino if os.path.exists(path) else 0


def _print(stories: Iterable[Sequence[JournalEvent]], *, is_json: bool) -> None:
    for events in stories:
        if is_json:
            print(json.dumps(as_json(events)))
        else:
            print_story(events)
            print()
    sys.stdout.flush()
