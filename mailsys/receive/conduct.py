"""How a client behaves: what it gets wrong, what leads nowhere, and how much it wants at once."""

from __future__ import annotations

from mailsys.message.reply import Reply

JUNK_COMMANDS = 100  # that do not lead to a message, between two messages
COMMANDS_AT_ONCE = 10  # served before other connections get their turn: about a millisecond
PAUSES = 10  # of different length, while the later half of our patience is used up


class Conduct:
    """Counts for one connection.

    ``errors`` is how many wrong commands it may send.  Once half of what it may is used up, its answers
    come ever more slowly, each time by ``pause_seconds``.
    """

    __slots__ = (
        "_commands", "_errors", "_errors_left", "_is_junk", "_junk_left", "_pause_seconds",
    )  # fmt: skip

    def __init__(self, errors: int, pause_seconds: float = 0.0) -> None:
        self._errors = self._errors_left = errors
        self._junk_left = JUNK_COMMANDS
        self._is_junk = False
        self._pause_seconds = pause_seconds
        self._commands = 0

    def junk(self) -> None:
        """A command that leads to no message by itself."""
        self._junk_left -= 1
        self._is_junk = True

    def message_taken(self) -> None:
        """It is here for mail, after all."""
        self._junk_left = JUNK_COMMANDS

    def answered(self, reply: Reply) -> float:
        """A command is to be answered: in how many seconds?  "Later" is no fault of the client's."""
        pauses = _pauses(self._junk_left, JUNK_COMMANDS) if self._is_junk else 0
        self._is_junk = False
        if reply.is_permanent:
            self._errors_left -= 1
            pauses = max(pauses, _pauses(self._errors_left, self._errors))
        return pauses * self._pause_seconds

    def recipient_refused(self, reply: Reply, *, is_harmless: bool, is_pestering: bool) -> None:
        """Called before ``answered``: a list has stale addresses among good ones, and that is no error.

        ``is_pestering`` says that it asks on and on, though there were enough recipients long ago.
        """
        if is_harmless and reply.is_permanent:
            self._errors_left += 1
        if is_pestering:
            self._junk_left -= 1

    @property
    def is_too_much(self) -> bool:
        """Has it used up our patience?"""
        return self._errors_left < 0 or self._junk_left < 0

    def waits(self) -> None:
        """Nothing more has come from it, so that others have their turn anyway."""
        self._commands = 0

    def should_give_way(self) -> bool:
        """Asked after each event: is it time for others?"""
        self._commands += 1
        return self._commands % COMMANDS_AT_ONCE == 0


def _pauses(left: int, of: int) -> int:
    """None as long as half is left, and ``PAUSES`` at the end."""
    beyond_half = of - 2 * max(left, 0)
    return -(-PAUSES * beyond_half // of) if beyond_half > 0 else 0
