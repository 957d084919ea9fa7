"""What STATUS tells of a folder that sessions share."""

from __future__ import annotations

from mailsys.interfaces import FolderStatus
from mailsys.store.messages import DELETED, SEEN
from mailsys.store.shared_folder import SharedFolder


def status_of(shared: SharedFolder, octets: int) -> FolderStatus:
    """Count; ``octets`` are those of all messages with CRLF line ends."""
    messages = shared.messages
    return FolderStatus(
        messages=len(messages),
        recent=len(shared.unclaimed),
        unseen=len(messages) - messages.count(SEEN),
        deleted=messages.count(DELETED),
        octets=octets,
        uid_next=shared.uid_next,
        uid_validity=shared.uid_validity,
        highest_modseq=shared.highest_modseq,
    )
