"""What a message says in our name about itself is left out; all else stays as it came."""

import os

import pytest
from dialogs.runner import Play
from smtp_house import House

from mailsys.disk import Disk
from mailsys.interfaces import Disposition, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.receive.memory import PIECE_OCTETS

OURS = b"Authentication-Results: mail.our.example; dmarc=pass\r\n\theader.from=bank.example\r\n"
OTHERS = b"Authentication-Results: mx.example.net; dmarc=pass\r\n"
BEFORE, AFTER = b"From: a@client.example\r\n", b"Subject: x\r\n\r\nHello\r\n"
LARGE = b"line\r\n" * (PIECE_OCTETS // 2)


class Junk(SilentJudge):
    """Wants everything in the folder for junk, and keeps what it saw."""

    name = "junk"
    seen = b""

    async def message(self, session, envelope, content):
        self.seen = b"".join(content.pieces())
        return Verdict(Disposition.JUNK, "it is junk")


def sent(house, message, service="smtp"):
    play = Play(house.conversation, {"service": service, "message_octets": 10_000_000})
    play.connection.take()
    play.say(b"LHLO x\r\n" if service == "lmtp" else b"EHLO x\r\n")
    play.say(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<ann@our.example>\r\nDATA\r\n")
    return play.say(message + b".\r\n")


@pytest.mark.row(41)
@pytest.mark.parametrize("body", [b"", LARGE])
def test_a_forged_field_is_removed(tmp_path, body):
    house = House(str(tmp_path))
    assert sent(house, OURS + BEFORE + OURS.lower() + OTHERS + AFTER + body).startswith(b"250")
    assert house.contents == [BEFORE + OTHERS + AFTER + body]
    ((acceptance, _),) = house.intake.accepted
    assert acceptance.content.size == len(house.contents[0])
    # A large one is one file still, which the intake owns.
    assert len(os.listdir(tmp_path)) == bool(body)


def test_the_judges_see_all_of_it(tmp_path):
    """A signature may be over the field that is left out."""
    house = House(str(tmp_path))
    judge = Junk()
    house.judges = (judge,)
    sent(house, OURS + BEFORE + AFTER)
    assert judge.seen == OURS + BEFORE + AFTER
    assert house.contents == [BEFORE + AFTER]


def test_who_hands_mail_on_by_lmtp_has_judged_it(tmp_path):
    house = House(str(tmp_path))
    sent(house, OURS + BEFORE + AFTER, service="lmtp")
    assert house.contents == [OURS + BEFORE + AFTER]


class FullDisk(Disk):
    """Has no room for one more name."""

    def rename(self, source, target):
        raise OSError(28, "No space left on device")


def test_a_disk_that_is_full_keeps_nothing(tmp_path):
    house = House(str(tmp_path))
    house.disk = FullDisk()
    assert sent(house, OURS + BEFORE + AFTER + LARGE).startswith(b"452 4.3.1")
    assert house.contents == []
    assert os.listdir(tmp_path) == []


def test_junk_goes_into_its_folder(tmp_path):
    house = House(str(tmp_path))
    house.judges = (Junk(),)
    assert sent(house, BEFORE + AFTER).startswith(b"250")
    ((acceptance, _),) = house.intake.accepted
    assert [action.folder for action in acceptance.actions] == ["Junk"]
    assert acceptance.facts["judgement"] == "junk"
