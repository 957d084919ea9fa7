"""One folder that sessions have open: what it shows, all of them share, and each is told what changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from mailsys.interfaces import Flags, IFolderWatcher
from mailsys.store.flags import Keywords
from mailsys.store.folder_events import Event, events_of
from mailsys.store.messages import Messages
from mailsys.store.opening import Opening, clock_modseq

# So many UIDs of messages that have gone are remembered in memory.
EXPUNGED_UIDS = 100_000


class Listening(Protocol):
    """A session, as the shared folder knows it."""

    watcher: IFolderWatcher
    read_only: bool
    recent: set[int]


class SharedFolder:
    """What a folder shows.  In the reactor's thread only.

    ``now`` gives seconds since 1970.  ``unclaimed`` are messages of which no session was told that
    would have made them no longer \\Recent.
    """

    def __init__(self, name: str, uid_validity: int, now: Callable[[], float]) -> None:
        self.name = name
        self.uid_validity = uid_validity
        self.uid_next = 1
        self.highest_modseq = 0
        self.messages = Messages()
        self.keywords = Keywords()
        self.unclaimed: set[int] = set()
        self.sessions: list[Listening] = []
        self._now = now
        self._expunged: deque[tuple[int, Sequence[int]]] = deque()
        self._expunged_count = 0
        self.remembers_from = 0

    def begin(self, opening: Opening, recent: Collection[int]) -> None:
        """Show what is there when it is opened; nobody has it open yet."""
        self.messages = opening.messages
        self.highest_modseq = opening.highest_modseq
        self.remembers_from = opening.remembers_from
        for modseq, uids in opening.expunged:
            self._remember(modseq, uids)
        for flags, _count in opening.messages.combinations():
            self.keywords.add(flags)
        self.unclaimed.update(recent)
        self._note(opening.events)

    def _note(self, events: Sequence[Event]) -> None:
        """Overridden where it is kept."""

    def join(self, session: Listening) -> None:
        """A session has opened the folder."""
        session.recent |= self.unclaimed
        if not session.read_only:
            self.unclaimed.clear()
        self.sessions.append(session)

    def leave(self, session: Listening) -> None:
        """It looks away."""
        if session in self.sessions:
            self.sessions.remove(session)

    def next_modseq(self) -> int:
        """For a change that is about to be shown."""
        self.highest_modseq = clock_modseq(self._now, self.highest_modseq)
        return self.highest_modseq

    def arrive(self, messages: Sequence[tuple[int, Flags]], recent: Collection[int]) -> None:
        """Show new messages, by rising UID behind all others; those among ``recent`` are \\Recent."""
        if not messages:
            return
        modseq = self.next_modseq()
        for uid, flags in messages:
            self.messages.add(uid, flags, modseq)
            self.keywords.add(flags)
        self._note(events_of(modseq, messages))
        self.uid_next = max(self.uid_next, messages[-1][0] + 1)
        self._hand_out(recent)
        self._tell(lambda watcher: watcher.arrived([uid for uid, _flags in messages]))

    def change(self, changes: Iterable[tuple[int, Flags]]) -> list[int]:
        """Show other flags of messages that are there; return their UIDs."""
        wanted = dict(changes)
        states = self.messages.states(wanted)
        real = [(uid, wanted[uid]) for uid, _modseq, flags in states if wanted[uid] != flags]
        if not real:
            return []
        modseq = self.next_modseq()
        for uid, flags in real:
            self.messages.change(uid, flags, modseq)
        self.keywords.add(frozenset().union(*{flags for _uid, flags in real}))
        self._note(events_of(modseq, real))
        uids = [uid for uid, _flags in real]
        self._tell(lambda watcher: watcher.flags_changed(uids))
        return uids

    def remove(self, uids: Iterable[int]) -> list[int]:
        """Show these no longer; return those that were there."""
        gone = sorted(set(self.messages.present(uids)))
        if not gone:
            return []
        modseq = self.next_modseq()
        self._remember(modseq, gone)
        self._note([Event(modseq, None, gone)])
        self.messages.remove(gone)
        self.unclaimed.difference_update(gone)
        for session in self.sessions:
            session.recent.difference_update(gone)
        self._tell(lambda watcher: watcher.expunged(gone))
        return gone

    def vanish(self) -> None:
        """The folder has gone, or is another now."""
        self._tell(lambda watcher: watcher.gone())

    def gone_since(self, modseq: int) -> list[int] | None:
        """UIDs that have gone after it, rising; None when that is not remembered."""
        if modseq < self.remembers_from:
            return None
        return sorted(uid for changed, uids in self._expunged if changed > modseq for uid in uids)

    def _remember(self, modseq: int, gone: Sequence[int]) -> None:
        self._expunged.append((modseq, gone))
        self._expunged_count += len(gone)
        while self._expunged_count > EXPUNGED_UIDS:
            self.remembers_from, forgotten = self._expunged.popleft()
            self._expunged_count -= len(forgotten)

    def _hand_out(self, recent: Collection[int]) -> None:
        """The first session that may change the folder is the one for which they are \\Recent."""
        claiming = next((session for session in self.sessions if not session.read_only), None)
        for session in self.sessions:
            if session is claiming or session.read_only:
                session.recent.update(recent)
        if claiming is None:
            self.unclaimed.update(recent)

    def _tell(self, what: Callable[[IFolderWatcher], None]) -> None:
        for session in tuple(self.sessions):
            what(session.watcher)
