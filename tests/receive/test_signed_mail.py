"""Whose mail is signed: that of users and trusted programs, and no stranger's, whatever its From says."""

from ipaddress import ip_network

import pytest
from dialogs.runner import Play
from smtp_house import NOW, House
from test_own_sender import logged_in
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.dkim import keys
from mailsys.dkim.key_file import KeyFiles
from mailsys.dkim.keyring import Keyring
from mailsys.dkim.results import Result
from mailsys.dkim.signer import Signer
from mailsys.dkim.verify import verify
from mailsys.message.content import MemoryContent
from mailsys.threads import NoThreads

MESSAGE = b"From: ann@our.example\r\nTo: eve@far.example\r\nSubject: x\r\n\r\nHello\r\n"


@pytest.fixture
def files(tmp_path):
    files = KeyFiles(str(tmp_path))
    keys.first_keys(files, "our.example", NOW)
    return files


@pytest.fixture
def house(files):
    house = House()
    ring = Keyring(files, NoThreads())
    at_once(ring.refresh())
    house.signer = Signer(ring, NoThreads(), lambda: NOW, 600)
    return house


def results(house, files):
    """What a receiver finds out about the last message that was accepted."""
    acceptance, content = house.intake.accepted[-1]
    lines = [
        f'{key.name} 60 TXT "{key.record[:200]}" "{key.record[200:]}"' for key in files.read("our.example")
    ]
    whole = MemoryContent([acceptance.actions[-1].head, content])
    found = at_once(verify(whole, ZoneResolver("\n".join(lines)), NOW, NoThreads()))
    return [one.result for one in found]


def hand_in(play, message, sender=b"ann@our.example", recipient=b"eve@far.example"):
    play.say(b"MAIL FROM:<" + sender + b">\r\n")
    play.say(b"RCPT TO:<" + recipient + b">\r\nDATA\r\n")
    assert play.say(message + b".\r\n").startswith(b"250")


def begun(house):
    play = Play(house.conversation, {})
    play.say(b"EHLO client.example\r\n")
    return play


def test_users_with_what_their_program_left_out(house, files):
    play = logged_in(house)
    hand_in(play, MESSAGE)
    head = house.intake.accepted[-1][0].actions[-1].head
    assert head.startswith(b"DKIM-Signature: ")
    assert b"Message-ID:" in head
    assert results(house, files) == [Result.PASS, Result.PASS]
    assert house.intake.accepted[-1][0].facts["signed"] == [key.name for key in files.read("our.example")]
    hand_in(play, MESSAGE, recipient=b"bob@our.example")
    assert results(house, files) == [Result.PASS, Result.PASS]


def test_what_is_held_is_signed_without_end(house, files):
    """A person releases it, whenever that is."""
    house.header_writers.written = (b"X-Desk: 7\r\n",)
    house.limits.held = "ann sent very much"
    hand_in(logged_in(house), MESSAGE)
    acceptance, content = house.intake.accepted[-1]
    head = acceptance.actions[-1].head
    assert acceptance.actions[-1].octets == len(head) + len(content)
    assert head.count(b"DKIM-Signature: ") == 2
    assert head.count(b"X-Desk: 7") == 1
    assert b" x=" not in head
    assert results(house, files) == [Result.PASS, Result.PASS]


def test_programs_of_trusted_networks_for_our_domains_alone(house, files):
    house.relays_for = (ip_network("127.0.0.0/8"),)
    play = begun(house)
    hand_in(play, MESSAGE)
    assert results(house, files) == [Result.PASS, Result.PASS]
    hand_in(play, MESSAGE.replace(b"ann@our.example", b"ann@else.example"))
    assert results(house, files) == []


@pytest.mark.parametrize("sender", [b"eve@far.example", b""])
def test_what_a_gateway_hands_on_of_others_is_not(house, files, sender):
    """Whatever stands in its From."""
    house.relays_for = (ip_network("127.0.0.0/8"),)
    hand_in(begun(house), MESSAGE, sender=sender)
    assert results(house, files) == []


def test_a_user_of_this_host_may_send_under_no_name_in_mail(house, files):
    hand_in(logged_in(house), MESSAGE, sender=b"")
    assert results(house, files) == [Result.PASS, Result.PASS]


def test_what_a_plugin_writes_is_signed_too(house, files):
    house.header_writers.written = (b"Reply-To: desk@our.example\r\n", b"X-Desk: 7\r\n")
    hand_in(logged_in(house), MESSAGE)
    assert b"\r\nReply-To: desk@our.example\r\n" in house.intake.accepted[-1][0].actions[-1].head
    assert results(house, files) == [Result.PASS, Result.PASS]


def test_no_stranger(house, files):
    hand_in(begun(house), MESSAGE, recipient=b"bob@our.example")
    assert results(house, files) == []
    assert b"DKIM-Signature" not in house.intake.accepted[-1][0].actions[-1].head


def test_a_message_that_cannot_be_read_is_not_taken(house):
    class Broken:
        async def lines(self, content, leaves_at=0.0):
            raise OSError("the disk is gone")

    house.signer = Broken()
    house.relays_for = (ip_network("127.0.0.0/8"),)
    play = begun(house)
    play.say(b"MAIL FROM:<ann@our.example>\r\n")
    play.say(b"RCPT TO:<eve@far.example>\r\nDATA\r\n")
    assert play.say(MESSAGE + b".\r\n").startswith(b"452 4.3.1")
    assert house.intake.accepted == []
