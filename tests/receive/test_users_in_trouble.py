"""What goes wrong where users send: slow lines, loops, full mailboxes and disks."""

import pytest
from dialogs.runner import Play
from smtp_house import House
from users_talk import BOB, LETTER, LOGIN, talk

BEGIN = ("MAIL FROM:<ann@our.example>", "RCPT TO:<bob@our.example>", "RCPT TO:<eve@far.example>")
SILENT = b"421 4.4.2 You were silent for too long\r\n"


def dribbled(play, octets):
    """One every ten seconds; what was said, and after how many seconds."""
    for number, octet in enumerate(octets):
        said = play.say(bytes([octet]))
        if not play.connection.closed:
            said += play.wait(10)
        if play.connection.closed:
            return said, 10 * (number + 1)
    raise AssertionError("it is still there")


@pytest.mark.row(24)
@pytest.mark.parametrize("login", [b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n", b""])
def test_a_login_that_is_dribbled(login):
    """Row 24: a password, or the command for it, has the time of a command."""
    house = House()
    play = Play(house.conversation, {"service": "submission"})
    play.say(b"EHLO laptop.example\r\n")
    if login:
        assert play.say(login).startswith(b"334 ")
    said, seconds = dribbled(play, b"A" * 100 if login else b"AUTH PLAIN " + b"A" * 100)
    assert said == SILENT
    assert 290 <= seconds <= 310


@pytest.mark.row(24)
def test_a_message_of_a_user_that_is_dribbled():
    """Row 24: who has logged in has no more time than others, and nothing of it is kept."""
    house = House()
    play = Play(house.conversation, {"service": "submission"})
    for line in ("EHLO laptop.example", LOGIN, *BEGIN, "DATA"):
        play.say(f"{line}\r\n".encode())
    said, seconds = dribbled(play, b"x" * 100)
    assert said == SILENT
    assert 170 <= seconds <= 200
    assert house.intake.accepted == []


@pytest.mark.row(31)
@pytest.mark.parametrize("wish", ["", " NOTIFY=SUCCESS"])
def test_a_loop_through_a_mail_program_is_ended(wish):
    """Row 31: a program that redirects its mail hands in what has gone round."""
    house = House()
    letter = "Received: from a by b; x\r\n" * 51 + LETTER
    _, answers = talk(house, BEGIN[0], BEGIN[1] + wish, BEGIN[2] + wish, "DATA", letter)
    assert answers[-1].startswith("554 5.4.6 ")
    assert house.intake.accepted == []


@pytest.mark.row(32)
@pytest.mark.parametrize("wish", ["", " NOTIFY=SUCCESS", " NOTIFY=NEVER"])
def test_what_is_wrong_with_people_here_is_said_in_the_session(wish):
    """Row 32: nothing of it comes back later, whatever the sender wants to be told."""
    house = House()
    people = [f"RCPT TO:<{name}@our.example>{wish}" for name in ("nobody", "full", "loop")]
    _, answers = talk(house, BEGIN[0], *people, "DATA")
    assert [answer[:9] for answer in answers[1:]] == ["550 5.1.1", "452 4.2.2", "550 5.4.6", "503 5.5.1"]
    assert house.intake.accepted == []


@pytest.mark.row(52)
@pytest.mark.parametrize("wish", ["", " NOTIFY=SUCCESS"])
def test_a_message_that_cannot_be_kept(wish):
    """Row 52: the user's program keeps it, no room stays held, and the next one is taken."""
    house = House()
    house.refuse_to_store()
    recipients = [f"RCPT TO:<{name}@our.example>{wish}" for name in ("bob", "small")]
    _, answers = talk(house, BEGIN[0], *recipients, BEGIN[2], "DATA", LETTER)
    assert answers[-1].startswith("452 4.3.1 ")
    assert house.quota.holds == []
    house.intake.fault = None
    _, answers = talk(house, BEGIN[0], *recipients, BEGIN[2], "DATA", LETTER)
    assert answers[-1].startswith("250 ")
    assert len(house.intake.accepted) == 1


@pytest.mark.row(52)
@pytest.mark.parametrize("when", ["at RCPT", "at the end"])
def test_what_was_sent_cannot_be_counted(when):
    """Row 52: without the count nobody knows whether it is too much; mail to people here needs none."""
    house = House()
    play = Play(house.conversation, {"service": "submission"})
    for line in ("EHLO laptop.example", LOGIN, *BEGIN[:2]):
        play.say(f"{line}\r\n".encode())
    if when == "at RCPT":
        house.limits.fault = OSError("disk full")
        assert play.say(b"RCPT TO:<eve@far.example>\r\n").startswith(b"451 4.3.0 ")
        play.say(b"DATA\r\n")
        assert play.say(f"{LETTER}\r\n".encode()).startswith(b"250 ")
        ((acceptance, _),) = house.intake.accepted
        assert [action.account for action in acceptance.actions] == [BOB]
        return
    play.say(b"RCPT TO:<eve@far.example>\r\nRCPT TO:<small@our.example>\r\n")
    play.say(b"DATA\r\n")
    house.limits.fault = OSError("disk full")
    assert play.say(f"{LETTER}\r\n".encode()).startswith(b"452 4.3.1 ")
    assert house.intake.accepted == []
    assert house.quota.holds == []
