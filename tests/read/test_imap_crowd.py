"""A dozen sessions on three folders do things at random; each finds true what it was told."""

import random

import pytest
from imap_crowd import FOLDERS, Believer
from imap_house import House, now_of
from test_imap_session import Client

STEPS = 1500
CLIENTS = 12


def client(house, number, seed):
    session = Client(house, select=None)
    own = random.Random(f"{seed}.{number}")
    return Believer(f"c{number}", own, session.say, session.heard, qresync=number % 3 == 0)


@pytest.mark.parametrize("seed", range(3))
def test_everybody_finds_true_what_he_was_told(seed):
    house = House([])
    now_of(house.folders.create("Archive"))
    now_of(house.folders.create("Work"))
    clients = [client(house, number, seed) for number in range(CLIENTS)]
    for one in clients:
        one.select(one.random.choice(FOLDERS))
    turns = random.Random(seed)
    for step in range(STEPS):
        turns.choice(clients).act()
        if step % 50 == 0:
            house.put(f"Message-ID: <outside{step}@x>\r\n\r\n".encode())
    for one in clients:
        one.leave_idle()
        one.command("NOOP")
    for one in clients:
        believed = {uid: one.flags.get(uid) for uid in one.uids if uid in one.flags}
        numbers = [uid for uid in one.uids if uid is not None]
        one.look()
        folder = house.folders._shared[one.folder]
        assert one.uids == list(folder.messages.uids)
        assert set(numbers) <= set(one.uids)
        for uid, flags in believed.items():
            assert flags == one.flags[uid], (one.name, uid)
    assert sum(len(one.ids) for one in clients) > 100
