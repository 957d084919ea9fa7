"""What a drop must do in which a copy can be planned once more."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import Account, Identity, IMailStore, IRepeatableDrop, MailboxAction
from mailsys.message.content import MemoryContent
from mailsys.testing.store_asked import ANN, BOB, HEAD, ONE, StoreAsked


class RepeatableDropContract(StoreAsked):
    """What the queue relies on, of a drop that provides IRepeatableDrop; another is not asked."""

    @pytest.fixture(autouse=True)
    def _is_repeatable(self, store: IMailStore) -> None:
        if not IRepeatableDrop.providedBy(store.drop):
            pytest.skip("the store's drop does not provide IRepeatableDrop")

    def plan_again(
        self, store: IMailStore, key: str = "m.1.1 ann", octets: bytes = ONE, account: Account = ANN
    ) -> MailboxAction:
        """A copy that may be there."""
        drop = IRepeatableDrop(store.drop)
        return drop.plan_again(account, account.address, HEAD, len(octets), Identity(key, 1_800_000_000.5))

    def test_it_provides_the_interface(self, store: IMailStore) -> None:
        """All of it."""
        assert verifyObject(IRepeatableDrop, store.drop)

    def test_the_same_copy_has_the_same_name(self, store: IMailStore) -> None:
        """In the next process as well; and nothing else has it."""
        action = self.plan_again(store)
        self.plan(store, ONE)
        assert self.plan_again(self.revived(store)) == action
        others = [self.plan_again(store, "m.1.2 ann"), self.plan_again(store, "m.1.1 bob", account=BOB)]
        assert len({action.name, *[other.name for other in others], self.plan(store, ONE).name}) == 4

    def test_what_was_laid_is_seen_by_who_plans_it_again(self, store: IMailStore) -> None:
        """By the next process as well, until its user deletes it."""
        action = self.plan_again(store)
        assert store.drop.laid_octets(action) is None
        store.drop.write(action, MemoryContent([ONE]))
        store.drop.lay(action)
        assert self.found(store) == [ONE]
        store = self.revived(store)
        assert store.drop.laid_octets(self.plan_again(store)) == len(HEAD) + len(ONE)
        assert store.drop.laid_octets(self.plan_again(store, "m.1.2 ann")) is None
        assert self.wait_for(self.open(store, exclusive=False).expunge(self.uids(store))) == 1
        assert store.drop.laid_octets(self.plan_again(store)) is None
