"""Users say what they want to be told of their mail, and are told that, and nothing else (RFC 3461)."""

import email.policy
import smtplib
from email import message_from_bytes

import pytest
from exchange import SECONDS, mailbox, needs, run, trusting
from far_host import bobs_mail, configure, story_with, until, waiting, way_to

LETTER = "From: {0}\r\nTo: all\r\nSubject: wishes\r\n\r\n.hello\r\n"


@pytest.fixture
def house(own_host, far):
    """A host that knows the way to the other; both run."""
    configure(own_host, send=way_to(far))
    far.start()
    own_host.start()
    own_host.wait_until_ready(("submission", "pop3"))
    far.wait_until_ready()
    return own_host


def logged_in(house):
    where, ann = house.organisation, house.organisation.people[0]
    client = smtplib.SMTP(where.address, where.port("submission"), timeout=SECONDS)
    client.starttls(context=trusting(house))
    client.login(ann.address, ann.password)
    client.ehlo()
    return client


def notices_to(house, someone, count):
    """So many, by the recipient that they are about: (the whole notice, the fields of that recipient)."""
    until(lambda: len(mailbox(house, someone)) >= count and not waiting(house))
    found = {}
    for octets in mailbox(house, someone):
        notice = message_from_bytes(octets, policy=email.policy.default)
        assert notice.get_content_type() == "multipart/report"
        for fields in list(notice.iter_parts())[1].get_payload()[1:]:
            found[fields["Final-Recipient"].partition("; ")[2]] = notice, fields
    assert len(mailbox(house, someone)) == count
    return found


@pytest.mark.row(33)
def test_each_wish_of_one_message(house, far):
    """Row 33: success here and there, silence for NEVER, and a failure with all of the message."""
    ann, ben = house.organisation.people
    with logged_in(house) as client:
        assert client.has_extn("dsn")
        assert client.mail(ann.address, ["RET=FULL", "ENVID=QQ+2B1"])[0] == 250
        for recipient, options in (
            (ben.address, ["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{ben.address}"]),
            ("bob@far.test", ["NOTIFY=SUCCESS", "ORCPT=rfc822;Bob+2Bx@far.test"]),
            ("gone@far.test", ["NOTIFY=NEVER"]),
            ("nobody@far.test", ["NOTIFY=FAILURE"]),
        ):
            assert client.rcpt(recipient, options)[0] == 250
        assert client.data(LETTER.format(ann.address))[0] == 250
    found = notices_to(house, ann, 3)
    assert found.keys() == {ben.address, "bob@far.test", "nobody@far.test"}
    for notice, _ in found.values():
        about = list(notice.iter_parts())[1].get_payload()[0]
        assert about["Original-Envelope-Id"] == "QQ+1"
    here, there, failed = found[ben.address], found["bob@far.test"], found["nobody@far.test"]
    assert here[0]["Subject"] == f"Delivered to {ben.address}"
    assert (here[1]["Action"], here[1]["Original-Recipient"]) == ("delivered", f"rfc822; {ben.address}")
    # The other host does not offer it to strangers, so the notice says no more than is known.
    assert there[0]["Subject"] == "Handed on to bob@far.test"
    assert (there[1]["Action"], there[1]["Original-Recipient"]) == ("relayed", "rfc822; Bob+x@far.test")
    assert (failed[1]["Action"], failed[1]["Status"]) == ("failed", "5.1.1")
    assert list(failed[0].iter_parts())[2].get_content_type() == "message/rfc822"
    assert list(here[0].iter_parts())[2].get_content_type() == "text/rfc822-headers"
    assert len(mailbox(house, ben)) == len(bobs_mail(far)) == 1


def test_the_story_tells_it(house):
    ann, ben = house.organisation.people
    with logged_in(house) as client:
        client.sendmail(ann.address, [ben.address], LETTER.format(ann.address), [], ["NOTIFY=SUCCESS"])
    notices_to(house, ann, 1)
    story = until(lambda: story_with(house, ben.address, "A notice about it"))
    for words in (
        f"Waits in the queue for <{ben.address}>.",
        f"Delivered to {ben.address}, folder INBOX.",
        f"A notice about it goes to <{ann.address}>",
    ):
        assert words in story


def test_what_is_to_leave_later(house, far):
    """It waits for people here as well, and queue and story say until when; another leaves by itself."""
    ann, ben = house.organisation.people
    everybody = [ben.address, "bob@far.test"]
    with logged_in(house) as client:
        assert client.esmtp_features["futurerelease"].startswith("2592000 ")
        client.sendmail(ann.address, everybody, LETTER.format(ann.address), ["HOLDFOR=3600"])
    (message,) = until(lambda: waiting(house))
    listed = house.run("queue", "list")
    assert "; leaves " in listed
    assert ", as its sender wants; gives up " in listed
    assert message["not_before"] == message["recipients"][0]["next_attempt"] > message["at"]
    story = until(lambda: story_with(house, message["id"], "Waits in the queue"))
    assert ", as its sender wants." in story
    with logged_in(house) as client:
        client.sendmail(ann.address, everybody, LETTER.format(ann.address), ["HOLDFOR=1"])
    until(lambda: mailbox(house, ben) and bobs_mail(far))
    until(lambda: [one["id"] for one in waiting(house)] == [message["id"]])
    assert len(mailbox(house, ben)) == len(bobs_mail(far)) == 1
    assert house.run("queue", "retry", message["id"]) == "2 recipients are tried again now.\n"
    until(lambda: not waiting(house))
    assert len(mailbox(house, ben)) == len(bobs_mail(far)) == 2


@pytest.mark.row(33)
def test_what_is_wrong_is_said_in_words(house):
    with logged_in(house) as client:
        ann = house.organisation.people[0].address
        assert client.mail(ann, ["ENVID=a+0Db"]) == (
            501,
            b"5.5.4 ENVID must stand for printable characters only",
        )
        assert client.mail(ann)[0] == 250
        code, words = client.rcpt("bob@far.test", ["NOTIFY=NEVER,DELAY"])
        assert (code, words) == (501, b"5.5.4 NOTIFY=NEVER must stand alone")


@needs("msmtp")
def test_msmtp(house, tmp_path):
    """It has options for both wishes."""
    where, (ann, ben) = house.organisation, house.organisation.people
    (tmp_path / "letter").write_text(LETTER.format(ann.address).replace("\r\n", "\n"))
    settings = tmp_path / "msmtprc"
    settings.write_text(
        f"account default\nhost {where.address}\nport {where.port('submission')}\nauth plain\n"
        f"user {ann.address}\npassword {ann.password}\nfrom {ann.address}\n"
        f"tls on\ntls_starttls on\ntls_trust_file {house.certificate}\n"
        "dsn_notify success\ndsn_return headers\n"
    )
    settings.chmod(0o600)
    run("sh", "-c", f"exec /usr/bin/msmtp -C {settings} {ben.address} < {tmp_path}/letter")
    (notice, fields) = notices_to(house, ann, 1)[ben.address]
    assert notice["Subject"] == f"Delivered to {ben.address}"
    assert fields["Action"] == "delivered"
