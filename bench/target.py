"""The server that is measured."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.mailboxes import count_messages
from bench.processes import Family

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class OwnFolders:
    """Where a server that we started keeps its mail, and the segments of its intake log."""

    mail: Path
    intake: Path

    def count_messages(self) -> int:
        """How many messages are in place."""
        return count_messages(self.mail)

    def wait_until_settled(self, seconds: float) -> None:
        """Return when the log is empty: nothing is left to be done for messages that were accepted."""
        deadline = time.monotonic() + seconds
        while any(self.intake.glob("*.log")) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Target:
    """``ports`` are host and port by protocol (smtp, lmtp, pop3).

    ``lister`` reads the mailbox with many messages, ``retriever`` the one whose messages are fetched.
    ``key`` (PEM) signs what is handed in; empty, it is not signed.  ``processes`` and ``folders`` are None
    where they cannot be looked into.
    """

    ports: Mapping[str, tuple[str, int]]
    recipients: tuple[str, ...]
    lister: Login
    retriever: Login
    processes: Family | None = None
    folders: OwnFolders | None = None
    key: str = ""
