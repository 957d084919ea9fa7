"""Where each message of a folder lies, in little memory: about 75 octets a message.

A file is ``<subdirectory>/<base name><suffix>``; the base names stand one behind the other in one long
text, and the few combinations of subdirectory and suffix (``:2,FS``) that occur are kept once.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from threading import Lock
from typing import NamedTuple

NEW, CUR, TMP = "new", "cur", "tmp"
# Octets of messages that have gone, from which the text of base names is written anew.
SPARE_OCTETS = 64 * 1024
# Up to here gaps in the arrays are closed one after the other.
FEW = 8


class Ending(NamedTuple):
    """The part of a path that changes: subdirectory, and what stands behind the base name."""

    subdirectory: str
    suffix: str


class FileNames:
    """UID → file, by rising UID.  May be asked from any thread; one at a time changes it."""

    __slots__ = (
        "_endings",
        "_lengths",
        "_lock",
        "_numbers",
        "_places",
        "_spare",
        "_starts",
        "_text",
        "uids",
        "version",
    )

    def __init__(self) -> None:
        self.uids = array("I")
        self.version = 0  # another with each message that came or went
        self._starts = array("I")
        self._lengths = array("B")  # a file name has at most 255 octets
        self._endings = array("I")  # numbers of _places
        self._places: list[Ending] = []
        self._numbers: dict[Ending, int] = {}
        self._text = bytearray()
        self._spare = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.uids)

    def get(self, uid: int) -> tuple[str, Ending]:
        """Base name and ending; raises KeyError."""
        with self._lock:
            place = self._place(uid)
            return self._base(place), self._places[self._endings[place]]

    def path(self, uid: int) -> str:
        """The path below the folder; raises KeyError."""
        base, (subdirectory, suffix) = self.get(uid)
        return f"{subdirectory}/{base}{suffix}"

    def items(self) -> Iterator[tuple[int, str, Ending]]:
        """UID, base name and ending of each.  For whoever may change it, who must not meanwhile."""
        for place, uid in enumerate(self.uids):
            yield uid, self._base(place), self._places[self._endings[place]]

    def add(self, uid: int, base: str, ending: Ending) -> None:
        """Add one behind all others."""
        octets = os.fsencode(base)
        with self._lock:
            self.version += 1
            self.uids.append(uid)
            self._starts.append(len(self._text))
            self._lengths.append(len(octets))
            self._endings.append(self._number(ending))
            self._text += octets

    def move(self, uid: int, ending: Ending) -> None:
        """It lies elsewhere now; raises KeyError."""
        with self._lock:
            self._endings[self._place(uid)] = self._number(ending)

    def remove(self, uids: Collection[int]) -> None:
        """Forget those of these that are there."""
        if not uids:
            return
        with self._lock:
            self.version += 1
            octets = sum(self._lengths)
            if len(uids) <= FEW:
                self._remove_few(uids)
            else:
                self._remove_many(set(uids))
            self._spare += octets - sum(self._lengths)
            if self._spare > SPARE_OCTETS and self._spare > len(self._text) // 2:
                self._pack()

    def may_have(self, base: str) -> bool:
        """Is there a message with this base name, or one that holds it?  Also for some that have gone."""
        with self._lock:
            return os.fsencode(base) in self._text

    def _remove_few(self, uids: Iterable[int]) -> None:
        for uid in uids:
            try:
                place = self._place(uid)
            except KeyError:
                continue
            del self.uids[place], self._starts[place], self._lengths[place], self._endings[place]

    def _remove_many(self, gone: set[int]) -> None:
        kept = [place for place, uid in enumerate(self.uids) if uid not in gone]
        for name in ("uids", "_starts", "_lengths", "_endings"):
            values: array[int] = getattr(self, name)
            setattr(self, name, array(values.typecode, map(values.__getitem__, kept)))

    def _pack(self) -> None:
        text = bytearray()
        starts = array("I")
        for start, length in zip(self._starts, self._lengths, strict=True):
            starts.append(len(text))
            text += self._text[start : start + length]
        self._text, self._starts, self._spare = text, starts, 0

    def _place(self, uid: int) -> int:
        place = bisect_left(self.uids, uid)
        if place == len(self.uids) or self.uids[place] != uid:
            raise KeyError(uid)
        return place

    def _base(self, place: int) -> str:
        start = self._starts[place]
        return self._text[start : start + self._lengths[place]].decode("utf-8", "surrogateescape")

    def _number(self, ending: Ending) -> int:
        number = self._numbers.get(ending)
        if number is None:
            number = self._numbers[ending] = len(self._places)
            self._places.append(ending)
        return number
