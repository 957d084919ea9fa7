"""What one client knows of its folder: which number each message has, and what it must still be told.

The folder shows the present.  A client counts messages by what it was told, and may not be told of one
that has gone while a command speaks of numbers (RFC 9051 7.5.1).  So each session has a view: the UIDs in
the order of their numbers, those that have gone among them, and those whose flags are others now.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from mailsys.wire.imap.sequence import SequenceSet, by_number, by_uid

MOST_REFLAGGED = 1000  # told in one go


class View:
    """``uids`` has the UID of message 1 first.  It takes 4 octets a message."""

    __slots__ = ("_gone", "_last", "_reflagged", "saved", "uids")

    def __init__(self, uids: Sequence[int]) -> None:
        self.uids = array("I", uids)
        self.saved: Sequence[int] = ()  # what SEARCH was asked to remember (RFC 5182)
        self._last = self.uids[-1] if self.uids else 0  # UIDs up to it are told, or have gone untold
        self._gone: set[int] = set()
        self._reflagged: dict[int, int] = {}  # how often the flags of these have changed since they were told

    # ------------------------------------------------------------------ numbers

    def __len__(self) -> int:
        return len(self.uids)

    def number(self, uid: int) -> int | None:
        """The number that the client knows this message by; None when it was never told of it."""
        place = bisect_left(self.uids, uid)
        return place + 1 if place < len(self.uids) and self.uids[place] == uid else None

    def find(self, wanted: SequenceSet, *, by_uids: bool) -> list[int]:
        """The UIDs that a set means, rising; raises BadSet for a number that no message has.

        What is saved and has gone meanwhile means nothing (RFC 5182 2.1).
        """
        if wanted.is_saved:
            return [uid for uid in self.saved if self.number(uid) is not None]
        return by_uid(wanted, self.uids) if by_uids else by_number(wanted, self.uids)

    # ------------------------------------------------------------------ what happens

    def note_gone(self, uids: Iterable[int]) -> None:
        """Messages have gone."""
        known = [uid for uid in uids if self.number(uid) is not None]
        self._gone.update(known)
        self.forget_reflagged(known)

    def note_reflagged(self, uids: Iterable[int]) -> None:
        """Messages have other flags."""
        for uid in uids:
            self._reflagged[uid] = self._reflagged.get(uid, 0) + 1

    def forget_reflagged(self, uids: Iterable[int]) -> None:
        """The client has been told the flags of these."""
        if self._reflagged:
            for uid in uids:
                self._reflagged.pop(uid, None)

    def forget_own(self, uids: Iterable[int]) -> None:
        """The client has changed these itself and wants no word: unless somebody else did so, too."""
        self.forget_reflagged([uid for uid in uids if self._reflagged.get(uid) == 1])

    # ------------------------------------------------------------------ what is told

    @property
    def gone(self) -> Collection[int]:
        """Those of which the client thinks that they are there."""
        return self._gone

    def take_gone(self) -> tuple[list[int], list[int]]:
        """Numbers and UIDs of what has gone, highest first, which has them right when told in this order."""
        uids = sorted(self._gone, reverse=True)
        if not uids:
            return [], []
        numbers = [bisect_left(self.uids, uid) + 1 for uid in uids]
        self.uids = array("I", [uid for uid in self.uids if uid not in self._gone])
        self._gone.clear()
        return numbers, uids

    def take_arrived(self, present: Sequence[int]) -> Sequence[int]:
        """UIDs of new messages, which have numbers from now on; ``present`` are all in the folder."""
        new = present[bisect_right(present, self._last) :]
        if new:
            self.uids.extend(new)
            self._last = new[-1]
        return new

    @property
    def has_reflagged(self) -> bool:
        """Are there messages whose flags must be told?"""
        return bool(self._reflagged)

    def take_reflagged(self, most: int = MOST_REFLAGGED) -> list[int]:
        """UIDs of messages whose flags must be told, some of them when they are many."""
        taken = [*islice(self._reflagged, most)]
        self.forget_reflagged(taken)
        return sorted([uid for uid in taken if self.number(uid) is not None])
