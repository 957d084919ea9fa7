"""The contract of a store, over Maildirs, over memory and over the stand-in that other tests use."""

import itertools

import pytest
from fakes import MemoryStore as StandIn
from maildir_house import MaildirHouse
from twisted.internet.task import Clock

from mailsys.extensions.guard import Guard
from mailsys.extensions.store import GuardedStore
from mailsys.store.memory.store import MemoryStore
from mailsys.testing import StoreContract


class TestMaildirStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        self.folder = tmp_path
        self.lives = itertools.count()
        return self.next_life()

    def next_life(self):
        house = MaildirHouse(self.folder)
        house.clock += 1000 * next(self.lives)
        return house.store

    def again(self, store):
        return self.next_life()


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore("life", 7, lambda account, folder: None)


class TestStandIn(StoreContract):
    @pytest.fixture
    def store(self):
        return StandIn()


class TestGuardedStore(StoreContract):
    """Behind the guard a good store is as good."""

    @pytest.fixture
    def store(self):
        store = MemoryStore("life", 7, lambda account, folder: None)
        return GuardedStore(store, Guard("acme", "/somewhere/acme.py", 30.0, Clock()))
