"""The Maildirs of a host with their folders, as IMAP sessions see them."""

import sqlite3

from maildir_house import ANN, NOON, MaildirHouse, result_of

from mailsys.interfaces import NewMessage
from mailsys.message.content import MemoryContent
from mailsys.store.index.schema import FILE_NAME
from mailsys.testing.folders_asked import Told

TEXT = b"Subject: Number %d\r\nFrom: Bob <bob@example.net>\r\n\r\ntext %d\r\n"


class FoldersHouse(MaildirHouse):
    """One life of a store; ``again`` is the next."""

    @property
    def folders(self):
        return self.store.folders(ANN)

    def again(self, **options):
        later = type(self)(self.data, **options)
        later.clock = self.clock + 1000
        later.monotonic = self.monotonic + 1000
        return later

    def names_of_folders(self):
        return [entry.name for entry in result_of(self.folders.list()) if entry.exists]

    def select(self, told=None, name="INBOX", *, read_only=False):
        return result_of(self.folders.open(name, told or Told(), read_only=read_only))

    def append(self, count, flags=frozenset(), name="INBOX", first=0):
        messages = [
            NewMessage(MemoryContent([TEXT % (n, n)]), frozenset(flags), NOON)
            for n in range(first, first + count)
        ]
        return list(result_of(self.folders.append(name, messages)).uids)

    def texts(self, name="INBOX"):
        """UID → text of all messages of a folder."""
        folder = self.select(name=name, read_only=True)
        found = {uid: b"".join(result_of(folder.content(uid)).pieces()) for uid in folder.uids}
        folder.close()
        return found

    def flags(self, name="INBOX"):
        """UID → flags."""
        folder = self.select(name=name, read_only=True)
        found = {uid: folder.flags(uid) for uid in folder.uids}
        folder.close()
        return found

    def index(self):
        return self.root() / FILE_NAME

    def rows(self, statement):
        connection = sqlite3.connect(self.index())
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
