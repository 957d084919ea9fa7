"""The contract of IMailStore, over Maildirs and over the stand-in that other tests use."""

from types import SimpleNamespace

import pytest
from fakes import MemoryStore
from maildir_house import ANN, MaildirHouse
from store_contract import MailStoreContract


class TestMaildirStore(MailStoreContract):
    @pytest.fixture
    def host(self, tmp_path):
        house = MaildirHouse(tmp_path)
        names = (f"{number}.M1P1Q1.host" for number in range(1, 100))
        return SimpleNamespace(
            store=house.store, account=ANN, deliver=lambda octets: house.put(next(names), octets)
        )


class TestMemoryStore(MailStoreContract):
    @pytest.fixture
    def host(self):
        store = MemoryStore()
        uids = iter(range(1, 100))

        def deliver(octets):
            store.folders.setdefault((str(ANN.address), "INBOX"), {})[next(uids)] = octets

        return SimpleNamespace(store=store, account=ANN, deliver=deliver)
