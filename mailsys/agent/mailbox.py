"""What can be asked of an account, whatever protocol its server speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailsys.agent.entry import Entry
from mailsys.journal.printable import printable

INBOX = "INBOX"
MESSAGE_OCTETS = 64 * 1024 * 1024  # of one message, that are fetched
LISTED = 100_000  # messages of a folder that a list shows: the last ones
BODY_OCTETS = 2000  # of a message, fetched for its first words


@dataclass(frozen=True, slots=True)
class Listing:
    """The messages of a folder in their order; ``count`` is how many there are, also those left out."""

    entries: Sequence[Entry]
    count: int


def no_message(folder: str, number: int, count: int) -> str:
    """What to say of a number that no message has."""
    there = {0: "it is empty", 1: "there is one"}.get(count, f"there are {count}")
    return f"There is no message {number} in {printable(folder)}: {there}."


def too_large(number: int) -> str:
    """What to say of a message that is not fetched."""
    return f"Message {number} is larger than {MESSAGE_OCTETS // 2**20} MB, which is more than is read here."


class Mailbox(Protocol):
    """An account that is logged in.  What cannot be done is raised as CannotRead.

    Nothing is changed at the server: what is shown stays unread.
    """

    async def list(self, folder: str) -> Listing:
        """Look at all messages of a folder."""

    async def fetch(self, folder: str, number: int) -> bytes:
        """Return a message as its octets."""

    def close(self) -> None:
        """Take leave."""
