"""What every mail store must do, whatever it keeps mail in (the contract of IMailStore).

Subclass :class:`MailStoreContract` and give it a fixture ``host`` whose value has ``store`` (an
IMailStore), ``account``, and ``deliver(octets)``, which puts a message into the account's INBOX.
"""

import pytest
from maildir_house import read, result_of
from zope.interface.verify import verifyObject

from mailsys.interfaces import IMailbox, IMailStore, MailboxInUse

ONE = b"Subject: one\r\n\r\nfirst\r\n"
TWO = b"Subject: two\r\n\r\n.second\r\n"
BARE = b"Subject: bare\n\nno CR\n"


class MailStoreContract:
    """Test classes inherit from it."""

    @pytest.fixture
    def host(self):
        raise NotImplementedError

    def open(self, host, *, exclusive=True):
        return result_of(host.store.open(host.account, "INBOX", exclusive=exclusive))

    def uids(self, host):
        return [message.uid for message in self.open(host, exclusive=False).messages]

    def test_it_provides_the_interfaces(self, host):
        assert verifyObject(IMailStore, host.store)
        assert verifyObject(IMailbox, self.open(host))

    def test_a_new_mailbox_is_empty(self, host):
        mailbox = self.open(host)
        assert list(mailbox.messages) == []
        assert 0 < mailbox.uid_validity < 2**32

    def test_messages_come_by_rising_uid_in_the_order_of_arrival(self, host):
        for octets in (ONE, TWO, BARE):
            host.deliver(octets)
        mailbox = self.open(host)
        uids = [message.uid for message in mailbox.messages]
        assert uids == sorted(set(uids))
        assert [read(mailbox, uid) for uid in uids] == [ONE, TWO, BARE]

    def test_sizes_are_those_of_the_content_and_of_the_wire(self, host):
        host.deliver(ONE)
        host.deliver(BARE)
        mailbox = self.open(host)
        assert [(m.size, m.wire_size) for m in mailbox.messages] == [
            (len(ONE), len(ONE)),
            (len(BARE), len(BARE) + 3),
        ]

    def test_content_is_read_in_ranges_and_pieces(self, host):
        host.deliver(TWO)
        mailbox = self.open(host)
        content = result_of(mailbox.content(mailbox.messages[0].uid))
        assert content.size == len(TWO)
        assert content.read(9, 5) == TWO[9:14]
        assert content.read(len(TWO) - 2, 100) == TWO[-2:]
        assert content.read(len(TWO) + 5, 1) == b""
        assert b"".join(content.pieces()) == TWO

    def test_uids_and_uid_validity_stay(self, host):
        host.deliver(ONE)
        host.deliver(TWO)
        before = self.open(host, exclusive=False)
        host.deliver(BARE)
        after = self.open(host, exclusive=False)
        assert after.uid_validity == before.uid_validity
        assert after.messages[:2] == before.messages
        assert len(before.messages) == 2

    def test_expunged_messages_are_gone_and_their_uids_are_not_used_again(self, host):
        for octets in (ONE, TWO, BARE):
            host.deliver(octets)
        mailbox = self.open(host)
        uids = [message.uid for message in mailbox.messages]
        assert result_of(mailbox.expunge(uids[1:])) == 2
        with pytest.raises(KeyError):
            read(mailbox, uids[2])
        with pytest.raises(KeyError):
            result_of(mailbox.content(uids[1]))
        mailbox.close()
        assert self.uids(host) == uids[:1]
        host.deliver(TWO)
        assert self.uids(host)[1] > uids[2]

    def test_expunging_what_has_gone_does_not_matter(self, host):
        host.deliver(ONE)
        first, second = self.open(host, exclusive=False), self.open(host, exclusive=False)
        uid = first.messages[0].uid
        assert result_of(first.expunge([uid])) == 1
        assert result_of(second.expunge([uid, uid + 1])) == 0
        assert self.uids(host) == []

    def test_one_session_at_a_time_holds_the_mailbox_for_itself(self, host):
        mailbox = self.open(host)
        with pytest.raises(MailboxInUse):
            self.open(host)
        mailbox.close()
        again = self.open(host)
        mailbox.close()  # a second close must not end the hold of another
        with pytest.raises(MailboxInUse):
            self.open(host)
        again.close()

    def test_a_uid_that_never_was_is_a_key_error(self, host):
        host.deliver(ONE)
        mailbox = self.open(host)
        with pytest.raises(KeyError):
            read(mailbox, mailbox.messages[0].uid + 1)
