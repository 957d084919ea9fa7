"""How much memory the messages that are on their way in may take, all together."""

from __future__ import annotations

PIECE_OCTETS = 256 * 1024  # what one message may hold
CROWDED_OCTETS = 16 * 1024  # what it may hold while memory is short


class MessageMemory:
    """Counts what collectors hold.  Beyond ``octets`` in all, more goes to the disk, and earlier."""

    def __init__(self, octets: int) -> None:
        self.octets = octets
        self.held = 0

    @property
    def for_one(self) -> int:
        """How much one message may hold now."""
        return PIECE_OCTETS if self.held < self.octets else CROWDED_OCTETS
