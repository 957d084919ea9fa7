"""Keys change by themselves, once somebody has published the next ones."""

import pytest
from dkim_parts import NOW, result_of

from mailsys.dkim import keys
from mailsys.dkim.key_file import KeyFiles
from mailsys.dkim.rotation import Rotation
from mailsys.threads import NoThreads

DAY = 86_400.0


class House:
    def __init__(self, folder):
        self.files = KeyFiles(str(folder))
        self.now = NOW
        self.reason = "not published"
        self.asked = []
        keys.first_keys(self.files, "example.org", NOW)
        self.rotation = Rotation(self.files, NoThreads(), lambda: self.now, self._not_yet)
        self.rotation.new_keys_after = 365 * DAY

    async def _not_yet(self, coming):
        self.asked.append([key.selector for key in coming])
        return self.reason

    def step(self, days):
        self.now = NOW + days * DAY
        return result_of(self.rotation.step(["example.org"]))

    @property
    def states(self):
        return [key.state.value for key in self.files.read("example.org")]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_a_year_and_a_month(house):
    assert not house.step(364)
    assert house.states == ["active"] * 2
    assert house.asked == []
    assert not house.step(365)
    assert house.states == ["active"] * 2 + ["next"] * 2
    assert not house.step(366)
    assert not house.step(400)
    assert house.asked == [["m20280115-rsa", "m20280115-ed25519"]] * 2
    assert house.states == ["active"] * 2 + ["next"] * 2
    house.reason = ""
    assert house.step(401)
    assert house.states == ["retired"] * 2 + ["active"] * 2
    assert not house.step(430)
    assert len(house.states) == 4
    assert not house.step(432)
    assert house.states == ["active"] * 2
    assert house.files.read("example.org")[0].selector == "m20280115-rsa"


def test_never_by_itself_and_still_when_asked(house):
    house.rotation.new_keys_after = 0
    house.reason = ""
    assert not house.step(4000)
    assert house.states == ["active"] * 2
    keys.prepare_next(house.files, "example.org", house.now)
    assert house.step(4001)
    assert house.states == ["retired"] * 2 + ["active"] * 2


def test_a_damaged_file_keeps_no_other_domain(house, tmp_path):
    (tmp_path / "dkim" / "broken.example.json").write_text("{")
    house.now = NOW + 366 * DAY
    result_of(house.rotation.step(["broken.example", "example.org"]))
    assert house.states == ["active"] * 2 + ["next"] * 2
