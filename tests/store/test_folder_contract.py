"""The contract of a store with folders, over Maildirs, over memory and over other tests' stand-in."""

import itertools

import pytest
from fakes import MemoryStore as StandIn
from maildir_house import MaildirHouse

from mailsys.store.memory.store import MemoryStore
from mailsys.testing import FolderStoreContract


class TestMaildirFolders(FolderStoreContract):
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


class TestMemoryFolders(FolderStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore("life", 7, lambda account, folder: None)


class TestStandInFolders(FolderStoreContract):
    @pytest.fixture
    def store(self):
        return StandIn()
