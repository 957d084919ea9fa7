"""How a client behaves: what it gets wrong, what leads nowhere, and how much it wants at once."""

from __future__ import annotations

from mailsys.message.reply import Reply

JUNK_COMMANDS = 100  # that do not lead to a message, between two messages
COMMANDS_AT_ONCE = 10  # served before other connections get their turn: about a millisecond


class Conduct:
    """Counts for one connection.  ``errors`` is how many wrong commands it may send."""

    def __init__(self, errors: int) -> None:
        self._errors_left = errors
        self._junk_left = JUNK_COMMANDS
        self._commands = 0

    def junk(self) -> None:
        """A command that leads to no message by itself."""
        self._junk_left -= 1

    def message_taken(self) -> None:
        """It is here for mail, after all."""
        self._junk_left = JUNK_COMMANDS

    def answered(self, reply: Reply) -> None:
        """A command was answered.  "Later" is no fault of the client's."""
        if reply.is_permanent:
            self._errors_left -= 1

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

    def should_give_way(self) -> bool:
        """Asked after each event: is it time for others?"""
        self._commands += 1
        return self._commands % COMMANDS_AT_ONCE == 0
