"""What every store must do: for those who read, for intake, and when its process is killed in between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import (
    Account,
    IMailbox,
    IMailDrop,
    IMailStore,
    IQuota,
    MailboxAction,
    MailboxInUse,
)
from mailsys.message.content import MemoryContent
from mailsys.testing.repeatable_drop import RepeatableDropContract
from mailsys.testing.store_asked import ANN, BARE, BOB, HEAD, LARGE, ONE, TWO, StoreAsked


class ReadingContract(StoreAsked):
    """What those who read rely on."""

    def test_it_provides_the_interfaces(self, store: IMailStore) -> None:
        """All of the set."""
        assert verifyObject(IMailStore, store)
        assert verifyObject(IMailDrop, store.drop)
        assert verifyObject(IQuota, store.quota)
        assert verifyObject(IMailbox, self.open(store))

    def test_a_new_mailbox_is_empty(self, store: IMailStore) -> None:
        """And is there, though nobody made it."""
        mailbox = self.open(store)
        assert list(mailbox.messages) == []
        assert 0 < mailbox.uid_validity < 2**32

    def test_messages_come_by_rising_uid_in_the_order_of_arrival(self, store: IMailStore) -> None:
        """Octet by octet as they were delivered."""
        for octets in (ONE, TWO, BARE, LARGE):
            self.deliver(store, octets)
        assert self.found(store) == [ONE, TWO, BARE, LARGE]
        assert self.uids(store) == sorted(set(self.uids(store)))

    def test_sizes_are_those_of_the_content_and_of_the_wire(self, store: IMailStore) -> None:
        """POP3 and IMAP count CR LF at each line's end."""
        self.deliver(store, ONE)
        bare = store.drop.plan(ANN, ANN.address, HEAD, len(BARE), crlf=False)
        store.drop.write(bare, MemoryContent([BARE]))
        store.drop.lay(bare)
        sizes = [(message.size, message.wire_size) for message in self.open(store).messages]
        more = len(HEAD)
        assert sizes == [
            (more + len(ONE), more + len(ONE)),
            (more + len(BARE), more + len(BARE) + 3),
        ]

    def test_content_is_read_in_ranges_and_pieces(self, store: IMailStore) -> None:
        """From any offset, and past the end."""
        self.deliver(store, TWO)
        whole = HEAD + TWO
        mailbox = self.open(store)
        content = self.wait_for(mailbox.content(mailbox.messages[0].uid))
        assert content.size == len(whole)
        assert content.read(9, 5) == whole[9:14]
        assert content.read(len(whole) - 2, 100) == whole[-2:]
        assert content.read(len(whole) + 5, 1) == b""
        assert b"".join(content.pieces()) == whole

    def test_several_small_messages_are_read_at_once(self, store: IMailStore) -> None:
        """One too large is None, one that never was a KeyError; what is cached is the same."""
        for octets in (ONE, LARGE, TWO):
            self.deliver(store, octets)
        mailbox = self.open(store)
        one, large, two = [message.uid for message in mailbox.messages]
        results = self.wait_for(mailbox.read_many([two, large, one, two + 7]))
        assert results[:3] == [HEAD + TWO, None, HEAD + ONE]
        assert isinstance(results[3], KeyError)
        assert mailbox.read_cached(one) in (None, HEAD + ONE)
        assert mailbox.read_cached(large) is None
        assert mailbox.read_cached(two + 7) is None

    def test_a_message_has_the_name_of_its_copy(self, store: IMailStore) -> None:
        """So that a story can tell who fetched what; it has none when it has gone."""
        action = self.deliver(store, ONE)
        mailbox = self.open(store)
        [message] = mailbox.messages
        assert mailbox.name(message.uid) == action.name
        self.wait_for(mailbox.expunge([message.uid]))
        assert mailbox.name(message.uid) == ""

    def test_uids_and_uid_validity_stay(self, store: IMailStore) -> None:
        """A mailbox is as it was when it was opened; the next one knows more."""
        self.deliver(store, ONE)
        self.deliver(store, TWO)
        before = self.open(store, exclusive=False)
        self.deliver(store, BARE)
        after = self.open(self.revived(store), exclusive=False)
        assert after.uid_validity == before.uid_validity
        assert list(after.messages[:2]) == list(before.messages)
        assert len(before.messages) == 2

    def test_expunged_messages_are_gone_and_their_uids_are_not_used_again(self, store: IMailStore) -> None:
        """Not even when the process is killed."""
        for octets in (ONE, TWO, BARE):
            self.deliver(store, octets)
        mailbox = self.open(store)
        uids = [message.uid for message in mailbox.messages]
        assert self.wait_for(mailbox.expunge(uids[1:])) == 2
        with pytest.raises((KeyError, FileNotFoundError)):
            self.read(mailbox, uids[2])
        mailbox.close()
        assert self.uids(store) == uids[:1]
        store = self.revived(store)
        assert self.uids(store) == uids[:1]
        self.deliver(store, TWO)
        assert self.uids(store)[1] > uids[2]

    def test_expunging_what_has_gone_does_not_matter(self, store: IMailStore) -> None:
        """Two sessions may delete the same."""
        self.deliver(store, ONE)
        first, second = self.open(store, exclusive=False), self.open(store, exclusive=False)
        uid = first.messages[0].uid
        assert self.wait_for(first.expunge([uid])) == 1
        assert self.wait_for(second.expunge([uid, uid + 1])) == 0
        assert self.uids(store) == []

    def test_one_session_at_a_time_holds_the_mailbox_for_itself(self, store: IMailStore) -> None:
        """RFC 1939 8; others may look meanwhile."""
        mailbox = self.open(store)
        with pytest.raises(MailboxInUse):
            self.open(store)
        self.open(store, BOB).close()
        self.open(store, exclusive=False).close()
        mailbox.close()
        again = self.open(store)
        mailbox.close()  # a second close must not end the hold of another
        with pytest.raises(MailboxInUse):
            self.open(store)
        again.close()

    def test_a_folder_that_is_not_there_is_an_os_error(self, store: IMailStore) -> None:
        """And holds nothing."""
        for _ in range(2):
            with pytest.raises(OSError):  # noqa: PT011 - which one is the store's affair
                self.wait_for(store.open(ANN, "No such folder", exclusive=True))

    def test_accounts_do_not_see_each_other(self, store: IMailStore) -> None:
        """Nor does a delivery to one reach another."""
        self.deliver(store, ONE)
        self.deliver(store, TWO, BOB)
        assert (self.found(store), self.found(store, BOB)) == ([ONE], [TWO])


class DropContract(StoreAsked):
    """What intake relies on: each step can be repeated after a crash, and nothing is there twice."""

    def test_names_are_never_given_twice(self, store: IMailStore) -> None:
        """Not by the next process either."""
        names = [self.plan(store, ONE).name for _ in range(100)]
        names += [self.plan(self.revived(store), ONE).name for _ in range(100)]
        assert len(set(names)) == len(names)

    def test_a_plan_touches_nothing(self, store: IMailStore) -> None:
        """The head is kept as it is, for the log."""
        action = self.plan(store, ONE)
        assert (action.account, action.recipient, action.head) == (ANN.address, ANN.address, HEAD)
        assert not store.drop.is_written(action)
        assert store.drop.laid_octets(action) is None

    def test_a_written_copy_is_seen_by_nobody_until_it_is_laid(self, store: IMailStore) -> None:
        """Then it is seen whole."""
        action = self.plan(store, ONE)
        store.drop.write(action, MemoryContent([ONE]))
        assert store.drop.is_written(action)
        assert store.drop.laid_octets(action) is None
        assert self.found(store) == []
        store.drop.lay(action)
        assert not store.drop.is_written(action)
        assert store.drop.laid_octets(action) == len(HEAD) + len(ONE)
        assert self.found(store) == [ONE]

    def test_a_copy_is_laid_once(self, store: IMailStore) -> None:
        """A second time there is nothing to lay."""
        action = self.deliver(store, ONE)
        with pytest.raises(OSError):  # noqa: PT011 - which one is the store's affair
            store.drop.lay(action)
        assert self.found(store) == [ONE]

    def test_a_copy_that_nobody_needs_is_discarded(self, store: IMailStore) -> None:
        """Again does no harm, and a laid copy stays."""
        action = self.plan(store, ONE)
        store.drop.discard(action)
        store.drop.write(action, MemoryContent([ONE]))
        store.drop.discard(action)
        store.drop.discard(action)
        assert not store.drop.is_written(action)
        laid = self.deliver(store, TWO)
        store.drop.discard(laid)
        assert self.found(store) == [TWO]

    def test_a_copy_can_be_written_anew_after_it_was_discarded(self, store: IMailStore) -> None:
        """As replay does."""
        action = self.plan(store, ONE)
        store.drop.write(action, MemoryContent([ONE]))
        store = self.revived(store)
        store.drop.discard(action)
        store.drop.write(action, MemoryContent([ONE]))
        store.drop.lay(action)
        assert self.found(store) == [ONE]

    def test_only_a_short_copy_is_removed(self, store: IMailStore) -> None:
        """A loss of power may leave one."""
        action = self.deliver(store, ONE)
        octets = len(HEAD) + len(ONE)
        store.drop.remove_short(action, octets)
        assert self.found(store) == [ONE]
        store.drop.remove_short(action, octets + 1)
        assert self.found(store) == []
        store.drop.remove_short(action, octets)

    def test_a_damaged_copy_is_replaced_in_its_place(self, store: IMailStore) -> None:
        """With its UID; one that its user deleted does not come back."""
        action = self.deliver(store, ONE)
        self.deliver(store, TWO)
        uids = self.uids(store)
        store.drop.write(action, MemoryContent([ONE]))
        assert self.found(store) == [ONE, TWO]
        store.drop.replace(action)
        assert self.found(store) == [ONE, TWO]
        assert self.uids(store) == uids
        assert self.wait_for(self.open(store, exclusive=False).expunge(uids)) == 2
        store.drop.write(action, MemoryContent([ONE]))
        with pytest.raises(FileNotFoundError):
            store.drop.replace(action)
        store.drop.discard(action)
        assert self.found(store) == []

    def test_a_copy_that_is_gone_counts_as_settled(self, store: IMailStore) -> None:
        """Its user was quicker."""
        action = self.deliver(store, ONE)
        self.wait_for(self.open(store, exclusive=False).expunge(self.uids(store)))
        assert list(store.drop.settle([action, self.deliver(store, TWO)])) == []

    def test_a_copy_for_a_folder_that_is_not_there_is_not_lost(self, store: IMailStore) -> None:
        """It lies somewhere in the account, and is found there."""
        action = replace(self.plan(store, ONE), folder="Lists")
        store.drop.write(action, MemoryContent([ONE]))
        store.drop.lay(action)
        assert store.drop.laid_octets(action) == len(HEAD) + len(ONE)

    def test_nothing_is_lost_or_doubled_when_the_process_is_killed_between_two_steps(
        self, store: IMailStore
    ) -> None:
        """Intake asks in this order after a kill: is it written, is it laid; else it writes it anew."""
        for steps_done in range(4):
            action = self.plan(store, ONE)
            if steps_done > 0:
                store.drop.write(action, MemoryContent([ONE]))
            if steps_done > 1:
                store.drop.lay(action)
            if steps_done > 2:
                store.drop.settle([action])
            store = self.revived(store)
            self.do_again(store.drop, action)
        assert self.found(store) == [ONE] * 4

    def do_again(self, drop: IMailDrop, action: MailboxAction) -> None:
        """As replay does: what is not there is written, what is written is laid."""
        if not drop.is_written(action) and drop.laid_octets(action) is None:
            drop.write(action, MemoryContent([ONE]))
        if drop.is_written(action):
            drop.lay(action)
        assert list(drop.settle([action])) == []


class QuotaContract(StoreAsked):
    """What a session relies on when it says that there is room."""

    def limited(self, octets: int) -> Account:
        """Ann with a quota."""
        return replace(ANN, quota_bytes=octets)

    def has_room(self, store: IMailStore, account: Account, octets: int) -> bool:
        """Its answer now."""
        return self.wait_for(store.quota.has_room(account, octets))

    def test_without_a_quota_there_is_always_room(self, store: IMailStore) -> None:
        """For anything."""
        assert self.has_room(store, ANN, 10**12)
        assert self.wait_for(store.quota.hold(ANN, 10**12))
        store.quota.release(ANN, 10**12, used=0)

    def test_an_empty_mailbox_takes_its_quota_and_no_more(self, store: IMailStore) -> None:
        """To the octet."""
        account = self.limited(1000)
        assert self.has_room(store, account, 1000)
        assert not self.has_room(store, account, 1001)

    def test_what_is_held_is_not_given_twice(self, store: IMailStore) -> None:
        """Until it is released."""
        account = self.limited(1000)
        assert self.wait_for(store.quota.hold(account, 600))
        assert not self.wait_for(store.quota.hold(account, 600))
        assert self.has_room(store, account, 400)
        store.quota.release(account, 600, used=0)
        assert self.has_room(store, account, 1000)

    def test_what_was_laid_is_used(self, store: IMailStore) -> None:
        """Once, and not besides as held."""
        octets = len(HEAD) + len(ONE)
        account = self.limited(octets + 100)
        assert self.wait_for(store.quota.hold(account, len(ONE)))
        self.deliver(store, ONE, account)
        store.quota.release(account, len(ONE), used=octets)
        assert self.has_room(store, account, 100)
        assert not self.has_room(store, account, 101)


class StoreContract(ReadingContract, DropContract, RepeatableDropContract, QuotaContract):
    """Everything: give it a fixture ``store``, and ``again`` if it outlives its process."""
