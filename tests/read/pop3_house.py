"""A POP3 service in memory: two accounts, three messages for one of them."""

from fakes import MemoryJournal, MemoryLogins, MemoryStore

from mailsys.read.pop3 import POP3Conversation
from mailsys.threads import NoThreads

MESSAGES = {
    1: b"Subject: one\r\n\r\nHello,\r\nthis is one.\r\n",
    7: b"Subject: two\r\n\r\n.\r\n.leading dot\r\nline\nand one\n",
    255: b"Subject: three\nX-Long: folded\n line\n\none\ntwo\n",
}
LOGIN = b"USER ann@example.org\r\nPASS correct horse\r\n"


class House:
    """What several sessions share; call ``conversation`` with a clock for each of them."""

    def __init__(self, messages=None):
        self.store = MemoryStore(uid_validity=1234567890)
        self.contents.update(MESSAGES if messages is None else messages)
        self.logins = MemoryLogins({"ann@example.org": "correct horse", "bob@example.org": "pässword"})
        self.journal = MemoryJournal()
        self.sessions = 0

    @property
    def contents(self):
        """Ann's mail as it is in the store now."""
        return self.store.contents("ann@example.org")

    def new_session_id(self):
        self.sessions += 1
        return f"session{self.sessions}"

    def conversation(self, clock, **settings):
        return POP3Conversation(
            hostname="mail.example.org",
            store=self.store,
            logins=self.logins,
            journal=self.journal,
            workers=NoThreads(),
            clock=clock,
            now=clock.seconds,
            new_session_id=self.new_session_id,
            **settings,
        )
