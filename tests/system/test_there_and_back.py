"""An alias that leads to another host, and a notice that finds its way back."""

import smtplib

import pytest
from exchange import SECONDS
from far_host import bobs_mail, configure, story_with, until, waiting, way_to

LETTER = b"From: ann@writer.test\r\nTo: away@system.test\r\nSubject: forwarded\r\n\r\nhello\r\n"


@pytest.fixture
def forwarder(own_host, far):
    """A stranger's message may go through it to away@system.test, and from there to bob@far.test."""
    configure(own_host, send=way_to(far))
    own_host.run("alias", "add", "away@system.test", own_host.organisation.people[0].address, "bob@far.test")
    own_host.start()
    own_host.wait_until_ready(("smtp",))
    far.start()
    far.wait_until_ready()
    return own_host


def hand_in(host, sender, recipient, letter=LETTER):
    where = host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        assert client.sendmail(sender, [recipient], letter) == {}


def return_path(letter):
    return letter.split(b"\r\n")[0].removeprefix(b"Return-Path: <").removesuffix(b">").decode()


def test_there_and_back(forwarder, far):
    """The writer is bob himself, so that the notice to the writer can be seen."""
    hand_in(forwarder, "Bob@far.test", "away@system.test")
    (letter,) = until(lambda: bobs_mail(far))
    assert b"\r\nDelivered-To: away@system.test\r\n" in letter
    address = return_path(letter)
    assert address.startswith("SRS0=")
    assert address.endswith("=far.test=Bob@system.test")
    (finished,) = until(lambda: waiting(forwarder, "--finished"))
    assert finished["forwarded"] == {"bob@far.test": "away@system.test"}
    story = until(lambda: story_with(forwarder, address, "Forwarded to"))
    assert "Waits in the queue for <bob@far.test>, forwarded for <away@system.test>." in story
    assert f"Forwarded to <bob@far.test> for <away@system.test>, as from <{address}>," in story
    notice = LETTER.replace(b"forwarded", b"Not delivered")
    hand_in(forwarder, "", address.lower(), notice)
    letters = until(lambda: len(bobs_mail(far)) == 2 and bobs_mail(far))
    (back,) = [letter for letter in letters if b"Subject: Not delivered" in letter]
    assert return_path(back) == ""


@pytest.mark.row(31)
def test_two_hosts_that_forward_to_each_other(forwarder, far):
    """Row 31: the message comes back to the first alias once, and is refused there."""
    where = forwarder.organisation
    far.run("alias", "add", "round@far.test", "round@system.test")
    forwarder.run("alias", "add", "round@system.test", "round@far.test")
    configure(far, send=f'retry = "1s then 1s until 10s"\n[send.routes]\n"system.test" = '
              f'"smtp://{where.address}:{where.port("smtp")}"')  # fmt: skip
    far.stop()
    far.start()
    far.wait_until_ready()
    hand_in(forwarder, "ann@writer.test", "round@system.test")
    story = until(lambda: story_with(far, "round@system.test", "Will not reach"))
    assert "554 5.4.6" in story
    assert waiting(far) == []


@pytest.mark.row(32)
def test_who_forges_a_sender_makes_us_write_to_nobody(forwarder, far):
    """Row 32: what fails behind an alias is known here alone; bob, whose name was taken, gets nothing."""
    forwarder.run("alias", "add", "gone@system.test", "nobody@far.test")
    hand_in(forwarder, "bob@far.test", "gone@system.test")
    story = until(lambda: story_with(forwarder, "gone@system.test", "Will not reach"))
    assert "A notice about it" not in story
    assert waiting(forwarder) == []
    (finished,) = waiting(forwarder, "--finished")
    assert [one["state"] for one in finished["recipients"]] == ["failed"]
    assert f"The sender of {finished['id']} is not told that it failed" in forwarder.log.read_text()
    assert bobs_mail(far) == []
