"""How the suites ask a store: deliver as intake does, read as a session does."""

from __future__ import annotations

import pytest

from mailsys.interfaces import Account, IMailbox, IMailStore, MailboxAction
from mailsys.message.address import parse_address
from mailsys.message.content import READ_OCTETS, MemoryContent
from mailsys.testing.services import Asking

ANN = Account(parse_address("ann@example.org"))
BOB = Account(parse_address("bob@example.org"))
ONE = b"Subject: one\r\n\r\nfirst\r\n"
TWO = b"Subject: two\r\n\r\n.second\r\n"
BARE = b"Subject: bare\n\nno CR\n"
LARGE = b"Subject: large\r\n\r\n" + b"line of text\r\n" * (2 * READ_OCTETS // 14)
HEAD = b"Return-Path: <friend@client.example>\r\n"


class StoreAsked(Asking):
    """Give it a fixture ``store`` that is empty, and ``again``."""

    @pytest.fixture
    def store(self) -> IMailStore:
        """The store that is tested."""
        raise NotImplementedError

    def again(self, store: IMailStore) -> IMailStore | None:
        """The same store as the next process finds it when this one is killed now.

        None, as here, for a store that keeps nothing so long.
        """
        return None

    def revived(self, store: IMailStore) -> IMailStore:
        """The store after a kill, or as it is when it would be gone."""
        return self.again(store) or store

    def plan(self, store: IMailStore, octets: bytes, account: Account = ANN) -> MailboxAction:
        """A copy that is to be."""
        return store.drop.plan(account, account.address, HEAD, len(octets))

    def deliver(self, store: IMailStore, octets: bytes, account: Account = ANN) -> MailboxAction:
        """Deliver as intake does."""
        action = self.plan(store, octets, account)
        store.drop.write(action, MemoryContent([octets]))
        store.drop.lay(action)
        assert list(store.drop.settle([action])) == []
        store.drop.announce(action)
        return action

    def open(self, store: IMailStore, account: Account = ANN, *, exclusive: bool = True) -> IMailbox:
        """The INBOX."""
        return self.wait_for(store.open(account, "INBOX", exclusive=exclusive))

    def read(self, mailbox: IMailbox, uid: int) -> bytes:
        """A whole message; raises what a reader would meet."""
        content = self.wait_for(mailbox.content(uid))
        return b"".join(content.pieces())

    def found(self, store: IMailStore, account: Account = ANN) -> list[bytes]:
        """Everything in the INBOX, without the header lines of ours."""
        mailbox = self.open(store, account, exclusive=False)
        octets = [self.read(mailbox, message.uid) for message in mailbox.messages]
        mailbox.close()
        assert all(one.startswith(HEAD) for one in octets)
        return [one.removeprefix(HEAD) for one in octets]

    def uids(self, store: IMailStore) -> list[int]:
        """The UIDs in the INBOX."""
        mailbox = self.open(store, exclusive=False)
        mailbox.close()
        return [message.uid for message in mailbox.messages]
