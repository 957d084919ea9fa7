"""Fills Maildirs for reading, and counts what is in them."""

from __future__ import annotations

import os
from pathlib import Path

FIRST_SECOND = 1767225600  # file names begin with a time: from 1 January 2026 on, a message a second


def fill_mailbox(folder: Path, count: int, octets: int) -> None:
    """Make a Maildir with so many messages, as another program would have delivered them."""
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, mode=0o700)
    for number in range(1, count + 1):
        content = _message(number, octets)
        size = len(content)
        name = f"{FIRST_SECOND + number}.M{number}P1.bench,S={size},W={size}"
        (folder / "new" / name).write_bytes(content)


def _message(number: int, octets: int) -> bytes:
    head = b"From: <bench@client.test>\r\nTo: everybody:;\r\nSubject: message %d\r\n" % number
    head += b"Date: Thu, 01 Jan 2026 12:00:00 +0000\r\nMessage-ID: <%d@client.test>\r\n\r\n" % number
    line = b"A line of a message that was written only in order to be read again.\r\n"
    return head + line * max(1, (octets - len(head)) // len(line))


def count_messages(mail: Path) -> int:
    """How many files are in ``new`` and ``cur`` of all Maildirs ``mail/DOMAIN/USER``."""
    folders = [*mail.glob("*/*/new"), *mail.glob("*/*/cur")]
    return sum(len(os.listdir(folder)) for folder in folders)
