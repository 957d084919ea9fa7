"""Mail for another host: taken from a trusted network, kept while that host is away, and brought there."""

import email.policy
import os
import re
import signal
import smtplib
from email import message_from_bytes
from pathlib import Path

import pytest
from exchange import SECONDS, mailbox
from far_host import bobs_mail, configure, story_with, until, waiting, way_to

LETTER = b"From: ann@system.test\r\nTo: bob@far.test\r\nSubject: over there\r\n\r\n.hello\r\n"
SMTP = ("smtp",)


@pytest.fixture
def relay(own_host, far):
    """A host that trusts everybody here, and knows the way to the other."""
    configure(own_host, receive='trusted_networks = ["127.0.0.0/8"]', send=way_to(far))
    own_host.start()
    own_host.wait_until_ready(SMTP)
    return own_host


def hand_in(host, *recipients, sender="ann@system.test"):
    where = host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        assert client.sendmail(sender, recipients or ["bob@far.test"], LETTER) == {}


def test_a_trusted_client_sends_through_us(relay, far):
    far.start()
    far.wait_until_ready()
    hand_in(relay, "bob@far.test", relay.organisation.people[0].address)
    (letter,) = until(lambda: bobs_mail(far))
    assert letter.endswith(b"\r\n\r\n.hello\r\n")
    assert letter.count(b"Received:") == 2
    (finished,) = until(lambda: waiting(relay, "--finished"))
    assert waiting(relay) == []
    story = until(lambda: story_with(relay, finished["id"], "Sent to"))
    assert "Waits in the queue for <bob@far.test>." in story
    assert far.organisation.address in story
    assert mailbox(relay, relay.organisation.people[0])


def test_a_bounce_comes_home(relay, far):
    """Into the sender's mailbox, without a connection; and both stories tell it."""
    far.start()
    far.wait_until_ready()
    ann = relay.organisation.people[0]
    hand_in(relay, "nobody@far.test", sender=ann.address)
    (octets,) = until(lambda: mailbox(relay, ann))
    bounce = message_from_bytes(octets, policy=email.policy.default)
    assert bounce["Return-Path"] == "<>"
    assert bounce["Delivered-To"] == ann.address
    assert bounce["Subject"] == "Not delivered to nobody@far.test"
    words, _status, header = bounce.iter_parts()
    assert "there is no such mailbox" in " ".join(words.get_content().split())
    assert "Subject: over there" in header.get_content()
    story = until(lambda: story_with(relay, "nobody@far.test", "A notice about it"))
    (notice,) = re.findall(r"as message (\S+)\.", story)
    its_story = until(lambda: story_with(relay, notice, "Leaves the queue"))
    assert "Written by this host, as a notice about message" in its_story
    assert f"Delivered to {ann.address}, folder INBOX." in its_story
    until(lambda: not waiting(relay))


@pytest.mark.row(31)
def test_a_bounce_that_cannot_be_delivered_goes_to_the_postmaster(relay, far):
    far.start()
    far.wait_until_ready()
    hand_in(relay, "nobody@far.test", sender="gone@system.test")
    (octets,) = until(lambda: mailbox(relay, relay.organisation.people[0]))
    assert b"Subject: Not delivered to gone@system.test" in octets
    assert b"X-Original-To: postmaster@system.test" in octets


def test_a_host_that_is_away_for_a_while(own_host, far):
    """The sender hears that it waits, once, and not that it failed; the story has each attempt."""
    configure(
        own_host, receive='trusted_networks = ["127.0.0.0/8"]', queue='delay_notice = "2s"', send=way_to(far)
    )
    own_host.start()
    own_host.wait_until_ready(SMTP)
    ann = own_host.organisation.people[0]
    hand_in(own_host, sender=ann.address)
    (octets,) = until(lambda: mailbox(own_host, ann))
    notice = message_from_bytes(octets, policy=email.policy.default)
    assert notice["Subject"] == "Still waiting for bob@far.test"
    words = " ".join(next(notice.iter_parts()).get_content().split())
    assert "no host of far.test could be reached. There is nothing for you to do" in words
    (message,) = waiting(own_host)
    story = until(lambda: story_with(own_host, message["id"], "A notice about it goes to"))
    assert "Attempt 1 for <bob@far.test>" in story
    assert "Connection refused" in story
    far.start()
    far.wait_until_ready()
    until(lambda: bobs_mail(far))
    until(lambda: not waiting(own_host))
    story = until(lambda: story_with(own_host, message["id"], "Sent to <bob@far.test>"))
    assert ", at attempt " in story
    assert len(mailbox(own_host, ann)) == 1


@pytest.mark.row(53)
def test_it_waits_while_the_other_host_is_away(relay, far):
    """Row 53: killed while it waits, it is there after the next start, and arrives once."""
    hand_in(relay)
    (message,) = until(lambda: [one for one in waiting(relay) if one["recipients"][0]["attempts"]])
    assert message["recipients"][0]["state"] == "waiting"
    assert "waits since" in relay.run("queue", "list", "far.test")
    assert relay.run("queue", "hold", "--all").startswith("1 recipient is held")
    os.kill(_pid(relay), signal.SIGKILL)
    relay.stop()
    relay.start()
    relay.wait_until_ready(SMTP)
    assert [one["id"] for one in waiting(relay)] == [message["id"]]
    far.start()
    far.wait_until_ready()
    assert relay.run("queue", "release", message["id"]) == "1 recipient is let go.\n"
    until(lambda: bobs_mail(far))
    until(lambda: not waiting(relay))
    assert len(bobs_mail(far)) == 1
    assert list((Path(relay.directory) / "data" / "queue" / "content").iterdir()) == []


def _pid(host):
    return int((Path(host.directory) / "data" / "lock").read_text())
