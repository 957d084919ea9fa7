"""The messages of one folder, as all who have it open share them: compact arrays, by rising UID.

A message takes 16 octets here, and each combination of flags that occurs is kept once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence

from mailsys.interfaces import Flags

SEEN, DELETED = "\\Seen", "\\Deleted"
NO_FLAGS: Flags = frozenset()
# From here it is cheaper to write the arrays anew than to close one gap after the other.
FEW = 8


class Messages:
    """UID, flags and modseq of each message.  Whoever changes it does so in the reactor's thread."""

    __slots__ = ("_combinations", "_counts", "_flags", "_modseqs", "_numbers", "uids")

    def __init__(self) -> None:
        self.uids = array("I")
        self._flags = array("I")  # places in _combinations
        self._modseqs = array("Q")
        self._combinations: list[Flags] = []
        self._numbers: dict[Flags, int] = {}
        self._counts: list[int] = []  # how many messages have the combination

    def __len__(self) -> int:
        return len(self.uids)

    def __contains__(self, uid: int) -> bool:
        place = bisect_left(self.uids, uid)
        return place < len(self.uids) and self.uids[place] == uid

    def place(self, uid: int) -> int:
        """Where the message stands, from 0; raises KeyError."""
        place = bisect_left(self.uids, uid)
        if place == len(self.uids) or self.uids[place] != uid:
            raise KeyError(uid)
        return place

    def flags(self, uid: int) -> Flags:
        """Of one message; raises KeyError."""
        return self._combinations[self._flags[self.place(uid)]]

    def modseq(self, uid: int) -> int:
        """Of one message; raises KeyError."""
        return self._modseqs[self.place(uid)]

    def changed_since(self, modseq: int) -> list[int]:
        """UIDs of messages that changed after it, rising."""
        return [uid for uid, changed in zip(self.uids, self._modseqs, strict=True) if changed > modseq]

    def present(self, uids: Iterable[int]) -> list[int]:
        """Those that are there, in the order given."""
        return [uid for uid in uids if uid in self]

    def states(self, uids: Iterable[int]) -> Iterator[tuple[int, int, Flags]]:
        """UID, modseq and flags of those that are there, in the order given."""
        there, count = self.uids, len(self.uids)
        for uid in uids:
            place = bisect_left(there, uid)
            if place < count and there[place] == uid:
                yield uid, self._modseqs[place], self._combinations[self._flags[place]]

    def having(self, flag: str) -> list[int]:
        """UIDs of messages with this flag, rising."""
        numbers = {number for number, flags in enumerate(self._combinations) if flag in flags}
        return [uid for uid, number in zip(self.uids, self._flags, strict=True) if number in numbers]

    def count(self, flag: str) -> int:
        """How many have this flag."""
        return sum(count for flags, count in self.combinations() if flag in flags)

    def combinations(self) -> Iterable[tuple[Flags, int]]:
        """Each combination of flags that was seen, and how many messages have it."""
        return zip(self._combinations, self._counts, strict=True)

    def add(self, uid: int, flags: Flags, modseq: int) -> None:
        """Add one behind all others."""
        number = self._number(flags)
        self.uids.append(uid)
        self._flags.append(number)
        self._modseqs.append(modseq)
        self._counts[number] += 1

    def change(self, uid: int, flags: Flags, modseq: int) -> None:
        """Give other flags to one that is there; raises KeyError."""
        place, number = self.place(uid), self._number(flags)
        self._counts[self._flags[place]] -= 1
        self._counts[number] += 1
        self._flags[place] = number
        self._modseqs[place] = modseq

    def remove(self, uids: Collection[int]) -> None:
        """Forget those of these that are there."""
        places = sorted((self.place(uid) for uid in self.present(uids)), reverse=True)
        for place in places:
            self._counts[self._flags[place]] -= 1
        if len(places) <= FEW:
            for place in places:
                del self.uids[place], self._flags[place], self._modseqs[place]
            return
        gone = set(places)
        kept = [place for place in range(len(self.uids)) if place not in gone]
        self.uids = _picked(self.uids, kept)
        self._flags = _picked(self._flags, kept)
        self._modseqs = _picked(self._modseqs, kept)

    def items(self) -> Iterable[tuple[int, int, Flags]]:
        """UID, modseq and flags of each."""
        flags = map(self._combinations.__getitem__, self._flags)
        return zip(self.uids, self._modseqs, flags, strict=True)

    def copy(self) -> Messages:
        """The same, for another thread to read."""
        other = Messages()
        other.uids, other._flags, other._modseqs = self.uids[:], self._flags[:], self._modseqs[:]
        other._combinations, other._counts = list(self._combinations), list(self._counts)
        other._numbers = dict(self._numbers)
        return other

    def _number(self, flags: Flags) -> int:
        number = self._numbers.get(flags)
        if number is None:
            number = self._numbers[flags] = len(self._combinations)
            self._combinations.append(flags)
            self._counts.append(0)
        return number


def _picked(values: array[int], places: Sequence[int]) -> array[int]:
    return array(values.typecode, map(values.__getitem__, places))
