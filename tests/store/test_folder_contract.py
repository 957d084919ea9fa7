"""The contract of a store with folders, over memory and over the stand-in that other tests use."""

import pytest
from fakes import MemoryStore as StandIn

from mailsys.store.memory.store import MemoryStore
from mailsys.testing import FolderStoreContract


class TestMemoryFolders(FolderStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore("life", 7, lambda account, folder: None)


class TestStandInFolders(FolderStoreContract):
    @pytest.fixture
    def store(self):
        return StandIn()
