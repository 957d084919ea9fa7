"""Where things lie in the data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import quote

from mailsys.accounts.database import FILE_NAME as ACCOUNTS
from mailsys.journal import FILE_NAME as JOURNAL
from mailsys.judge.memory.file import FILE_NAME as SENDERS
from mailsys.route.return_keys import FILE_NAME as RETURN_KEYS
from mailsys.submit.file import FILE_NAME as SUBMISSION


@dataclass(frozen=True, slots=True)
class Paths:
    """What lies in the data folder."""

    data: str

    @property
    def accounts(self) -> str:
        """Domains, accounts, aliases."""
        return os.path.join(self.data, ACCOUNTS)

    @property
    def journal(self) -> str:
        """The story of every message."""
        return os.path.join(self.data, JOURNAL)

    @property
    def intake(self) -> str:
        """The log of what was accepted, and its spool."""
        return os.path.join(self.data, "intake")

    @property
    def submission(self) -> str:
        """What is remembered of users who send."""
        return os.path.join(self.data, SUBMISSION)

    @property
    def return_keys(self) -> str:
        """With what the return addresses of forwarded mail are made."""
        return os.path.join(self.data, RETURN_KEYS)

    @property
    def senders(self) -> str:
        """What is remembered of senders."""
        return os.path.join(self.data, SENDERS)

    def plugin(self, name: str) -> str:
        """What the plugin of this name keeps, if it keeps anything."""
        return os.path.join(self.data, "plugins", quote(name, safe="").replace(".", "%2E"))
