"""Mail that one organisation of the lab forwards back to the other: SPF holds, and notices find their way."""

import email.policy
import smtplib
import time
from email import message_from_bytes

import pytest

from mailsys.lab.failure import LabFailed
from mailsys.lab.internet import Internet
from mailsys.lab.mail_program import read_mail, submit, trust
from mailsys.lab.names import ADDRESS
from mailsys.lab.organisation import organisations
from mailsys.lab.ports import DNS, kept_port_base

SECONDS = 30


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """Alpha, where the writer and the last reader live, and beta, which has the aliases."""
    addresses = [one.address for one in organisations(2, 0)]
    with (
        kept_port_base([*addresses, ADDRESS]) as base,
        Internet(organisations(2, base), tmp_path_factory.mktemp("lab"), base + DNS) as internet,
    ):
        internet.start()
        alpha, beta = internet.hosts
        beta.run("alias", "add", "away@beta.test", alpha.organisation.people[1].address)
        beta.run("alias", "add", "astray@beta.test", "nobody@alpha.test")
        yield alpha, beta


def write(alpha, recipient):
    """From the first of alpha's people, by submission."""
    where, writer = alpha.organisation, alpha.organisation.people[0]
    letter = f"From: {writer.address}\r\nTo: {recipient}\r\nSubject: x\r\n\r\nHello\r\n"
    submit(where, trust(alpha.certificate), writer, recipient, letter.encode())


def letters(alpha, number, count):
    """What alpha's person of this number has, as soon as it is so much."""
    deadline = time.monotonic() + SECONDS
    while True:
        person = alpha.organisation.people[number]
        found = read_mail(alpha.organisation, trust(alpha.certificate), person, implicit=True)
        if len(found) >= count:
            return [message_from_bytes(one, policy=email.policy.default) for one in found]
        assert time.monotonic() < deadline
        time.sleep(0.2)


def story(beta, address, words):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if words in (told := beta.run("trace", "--whole", address)):
                return told
        except LabFailed:
            pass
        time.sleep(0.2)
    raise AssertionError(f"no story of {address} with {words}")


def test_the_last_host_finds_that_it_may_come_from_there(hosts):
    """Its sender's own domain does not name beta; the return address does."""
    alpha, beta = hosts
    write(alpha, "away@beta.test")
    [letter] = letters(alpha, 1, 1)
    path = letter["Return-Path"].strip("<>")
    assert path.startswith("SRS0=")
    assert path.endswith("=alpha.test=ada@beta.test")
    assert "spf=pass" in letter["Authentication-Results"]
    assert "smtp.mailfrom=" in letter["Authentication-Results"]
    assert "Forwarded to" in story(beta, path, "Forwarded to")


def test_a_notice_finds_its_way_back(hosts):
    """To the return address, as the last host writes it when it cannot deliver after all."""
    alpha, beta = hosts
    [letter, *_] = letters(alpha, 1, 1)
    where = beta.organisation
    notice = "From: postmaster@far.test\r\nSubject: it came to nothing\r\n\r\nSorry\r\n"
    client = smtplib.SMTP(where.address, where.port("smtp"), "mail.alpha.test", timeout=SECONDS)
    with client:
        assert client.sendmail("", [letter["Return-Path"].strip("<>").swapcase()], notice) == {}
    [back] = letters(alpha, 0, 1)
    assert (back["Subject"], back["Return-Path"]) == ("it came to nothing", "<>")


@pytest.mark.row(32)
def test_the_writer_hears_that_a_forward_leads_astray(hosts):
    """Row 32: alpha's SPF record vouches for the sender, so that the notice goes to whom it concerns."""
    alpha, beta = hosts
    before = len(letters(alpha, 0, 0))
    write(alpha, "astray@beta.test")
    notice = letters(alpha, 0, before + 1)[-1]
    assert notice["Subject"] == "Not delivered to astray@beta.test"
    words = " ".join(next(notice.iter_parts()).get_content().split())
    assert "astray@beta.test, which forwards to nobody@alpha.test: there is no such mailbox." in words
    assert "Will not reach <nobody@alpha.test>" in story(beta, "astray@beta.test", "Will not reach")
