"""Names for connections and messages: short, in the order of time, and easy to say on a telephone.

A session's id is nine characters, digits and small letters without the look-alikes ``i l o u``:
seconds since 2020 and a fraction, so that ids sort by time and stay unique for over a century.  The n-th
transaction of a session is ``<session id>.<n>``; that is a message's id.
"""

from __future__ import annotations

from collections.abc import Callable

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_AS_HEARD = str.maketrans("ilo", "110")
_LENGTH = 9
_EPOCH = 1_577_836_800  # 2020-01-01 in UTC
_TICKS_A_SECOND = 8192  # 32 bits of seconds and 13 of ticks fill nine characters of 5 bits.


class SessionIds:
    """Makes ids that no other session of this host has, had or will have.

    ``now`` tells seconds since 1970.  ``start`` is the highest id that was ever given out, as far as is
    known (:func:`mailsys.journal.reader.newest_session`): a clock that was set back then does no harm.
    Used by the reactor's thread only.
    """

    def __init__(self, now: Callable[[], float], start: str = "") -> None:
        self._now = now
        self._last = _number(start)

    def next(self) -> str:
        """A new id: that of this moment, or the next free one after it."""
        ticks = int((self._now() - _EPOCH) * _TICKS_A_SECOND)
        self._last = max(ticks, self._last + 1)
        return _text(self._last)


def transaction_id(session_id: str, transaction: int) -> str:
    """The id of a session's n-th transaction, counted from 1, and of the message in it."""
    return f"{session_id}.{transaction}"


def given_at(id_: str) -> float:
    """When an id of ours was given, in seconds since 1970; 0 for another."""
    number = _number(id_)
    return _EPOCH + number / _TICKS_A_SECOND if number else 0.0


def as_heard(text: str) -> str:
    """An id as someone may have noted it: capitals and look-alikes become what was meant."""
    return text.strip().lower().translate(_AS_HEARD)


def _text(number: int) -> str:
    return "".join([_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5)])


def _number(text: str) -> int:
    """The other way; 0 for what is no id of ours."""
    session = text.partition(".")[0]
    if len(session) != _LENGTH or not _VALUES.keys() >= set(session):
        return 0
    number = 0
    for character in session:
        number = number << 5 | _VALUES[character]
    return number
