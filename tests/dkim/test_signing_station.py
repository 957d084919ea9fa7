"""Every domain of ours has keys, whoever added it, and what changes is taken over without a signal."""

import os

import pytest
from dkim_parts import NOW, result_of
from signed_by_hand import MESSAGE
from twisted.internet.task import Clock

from mailsys.dkim import keys
from mailsys.dkim.key_file import KeyFiles
from mailsys.dkim.station import LOOK_SECONDS, ROTATE_SECONDS, Signing
from mailsys.interfaces import DirectoryUnavailable
from mailsys.message.content import MemoryContent
from mailsys.threads import NoThreads


class House:
    """One signing station over a folder."""

    def __init__(self, folder):
        self.clock = Clock()
        self.files = KeyFiles(str(folder))
        self.ours = ["example.org"]
        self.unavailable = False
        self.reason = "not published"
        self.now = NOW
        self.signing = Signing(
            str(folder), self._domains, self.clock, NoThreads(), lambda: self.now, self._not_yet
        )
        self.signing.configure(is_on=True, valid_seconds=600, new_keys_after=0)

    async def _not_yet(self, coming):
        return self.reason

    async def _domains(self):
        if self.unavailable:
            raise DirectoryUnavailable("not now")
        return self.ours

    def selectors(self, message=MESSAGE):
        lines = result_of(self.signing.lines(MemoryContent([message])))
        return [line.split(b"s=")[1].split(b";")[0].decode() for line in lines]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


FIRST = ["m20270115-rsa", "m20270115-ed25519"]


def test_keys_are_made_at_the_start_and_for_domains_that_come(house):
    assert house.selectors() == []
    result_of(house.signing.start())
    assert house.selectors() == FIRST
    house.ours.append("example.com")
    assert house.selectors(MESSAGE.replace(b"example.org", b"example.com")) == []
    house.clock.advance(LOOK_SECONDS)
    assert house.selectors(MESSAGE.replace(b"example.org", b"example.com")) == FIRST
    result_of(house.signing.stop())


def test_other_keys_are_used_within_seconds(house):
    result_of(house.signing.start())
    keys.prepare_next(house.files, "example.org", NOW)
    house.clock.advance(LOOK_SECONDS)
    assert house.selectors() == FIRST  # the next ones wait for their records
    keys.use_next(house.files, "example.org", NOW)
    house.clock.advance(LOOK_SECONDS)
    assert house.selectors() == ["m20270115-2-rsa", "m20270115-2-ed25519"]


def test_the_next_keys_are_used_as_soon_as_they_are_published(house):
    result_of(house.signing.start())
    keys.prepare_next(house.files, "example.org", NOW)
    house.clock.advance(ROTATE_SECONDS)
    assert house.selectors() == FIRST
    house.reason = ""
    house.clock.advance(ROTATE_SECONDS)
    assert house.selectors() == ["m20270115-2-rsa", "m20270115-2-ed25519"]
    result_of(house.signing.stop())


def test_old_keys_stay_as_long_as_a_signature_with_them_may_hold(house):
    """Of mail that was handed in long before it was to leave, and then waited as long as it may."""
    day = 86_400.0
    result_of(house.signing.start())
    house.signing.configure(is_on=True, valid_seconds=7 * day, new_keys_after=0, ahead_seconds=90 * day)
    keys.prepare_next(house.files, "example.org", NOW)
    keys.use_next(house.files, "example.org", NOW)
    house.now = NOW + 97 * day
    result_of(house.signing.rotate())
    assert len(house.files.read("example.org")) == 4
    house.now += 1
    result_of(house.signing.rotate())
    assert len(house.files.read("example.org")) == 2
    result_of(house.signing.stop())


def test_turned_off_nothing_is_made_or_signed(house):
    house.signing.configure(is_on=False, valid_seconds=600, new_keys_after=0)
    result_of(house.signing.start())
    assert house.files.domains() == []
    assert house.selectors() == []


def test_what_fails_now_is_tried_again(house, logged):
    house.unavailable = True
    result_of(house.signing.start())
    assert house.selectors() == []
    house.unavailable = False
    with open(house.files.folder, "w"):  # a file in the place of the folder
        pass
    house.clock.advance(LOOK_SECONDS)
    house.clock.advance(LOOK_SECONDS)
    assert house.selectors() == []
    os.unlink(house.files.folder)
    house.clock.advance(LOOK_SECONDS)
    assert house.selectors() == FIRST
    told = [event for event in logged if event.get("domain") == "example.org"]
    assert len([event for event in told if "There are no DKIM keys" in event["log_format"]]) == 1


@pytest.fixture
def logged():
    """What was logged."""
    from twisted.logger import globalLogPublisher

    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)
