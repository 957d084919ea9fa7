"""A mailbox as POP3 sees it: messages by number, marks of deletion, listings (RFC 1939 5)."""

from __future__ import annotations

from collections.abc import Iterator

from mailsys.interfaces import IMailbox, StoredMessage

LINES_AT_ONCE = 4000  # of a listing, rendered in one go: about 2 ms


class NoSuchMessage(Exception):  # noqa: N818 - the client is told, nothing is wrong here
    """No message has this number, or it is marked as deleted."""


class Maildrop:
    """The messages as they were at login; nothing is deleted before QUIT."""

    def __init__(self, mailbox: IMailbox) -> None:
        self._messages = mailbox.messages
        self._uid_validity = mailbox.uid_validity
        self._marked: set[int] = set()  # numbers
        self._all_octets = sum([message.wire_size for message in self._messages])
        self._marked_octets = 0

    @property
    def count(self) -> int:
        """How many there are, without those marked."""
        return len(self._messages) - len(self._marked)

    @property
    def octets(self) -> int:
        """Their size on the wire, without stuffed dots."""
        return self._all_octets - self._marked_octets

    def message(self, number: int) -> StoredMessage:
        """Return the message of this number, counted from 1; raises NoSuchMessage."""
        if number > len(self._messages) or number in self._marked:
            raise NoSuchMessage
        return self._messages[number - 1]

    def unique_id(self, number: int) -> bytes:
        """The message's unique-id; raises NoSuchMessage.

        UID and UIDVALIDITY in the form that Dovecot gives out by default, so that clients fetch
        nothing twice when their mailbox moves from one to the other.
        """
        return b"%08x%08x" % (self.message(number).uid, self._uid_validity)

    def mark_deleted(self, number: int) -> None:
        """Raises NoSuchMessage."""
        self._marked_octets += self.message(number).wire_size
        self._marked.add(number)

    def unmark_all(self) -> None:
        """Nothing is to be deleted any more."""
        self._marked.clear()
        self._marked_octets = 0

    def marked_uids(self) -> list[int]:
        """What is to be deleted, by rising UID."""
        return [self._messages[number - 1].uid for number in sorted(self._marked)]

    def scan_listing(self) -> Iterator[bytes]:
        """The lines of LIST, some thousand at once."""
        for part in self._parts():
            yield b"".join([b"%d %d\r\n" % (number, message.wire_size) for number, message in part])

    def unique_id_listing(self) -> Iterator[bytes]:
        """The lines of UIDL, some thousand at once."""
        validity = b"%08x" % self._uid_validity
        for part in self._parts():
            yield b"".join([b"%d %08x%b\r\n" % (number, message.uid, validity) for number, message in part])

    def _parts(self) -> Iterator[Iterator[tuple[int, StoredMessage]]]:
        """Numbers and messages, without those marked; no list is made, which would wake the collector."""
        marked = self._marked
        for start in range(0, len(self._messages), LINES_AT_ONCE):
            numbered = enumerate(self._messages[start : start + LINES_AT_ONCE], start + 1)
            yield (pair for pair in numbered if pair[0] not in marked) if marked else numbered
