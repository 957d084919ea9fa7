"""Mail to every broken host of the lab: its outcome, the queue, the story, and what the sender is told."""

import contextlib
import io
import json
import re
import smtplib
import time

import pytest

from mailsys.control.command import main
from mailsys.lab.broken import BROKEN, BrokenHosts, records
from mailsys.lab.host import Host
from mailsys.lab.joining import join
from mailsys.lab.mail_program import read_mail, trust
from mailsys.lab.names import ADDRESS, NameServerProcess, published
from mailsys.lab.organisation import organisations
from mailsys.lab.ports import DNS, kept_port_base

SECONDS = 60

# What becomes of mail to whom, how often it was tried, and what the operator and the sender read of it.
DELIVERED = {
    "slow.test": (1, "Taken, and thrown away"),
    "greylist.test": (2, "Greylisted, come back later"),
    "badtls.test": (1, "not encrypted (the handshake failed"),
    "fallback.test": (1, "mail.fallback.test"),
    "nomx.test": (1, "nomx.test [127.0.1."),
}
FAILED = {
    "down.test": (3, "Connection refused"),
    "closes.test": (3, "4.4.2"),
    "nullmx.test": (1, "5.1.10"),
    "noaddress.test": (1, "5.4.4"),
    "servfail.test": (3, "4.4.3"),
    "unheard-of.test": (1, "5.1.2"),
    **{one.domain: (3, "451 4.3.2 Not now") for one in BROKEN if one.name.startswith("later-")},
    **{one.domain: (1, "550 5.7.1 Not here") for one in BROKEN if one.name.startswith("never-")},
}


class Outcomes:
    """What is known when all is over."""

    def __init__(self, host):
        self.host = host
        self.ada = host.organisation.people[0]
        self.rows = {
            recipient["address"]: recipient | {"id": message["id"]}
            for message in json.loads(host.run("queue", "list", "--finished", "--json", "--limit", "100"))
            for recipient in message["recipients"]
        }
        self.notices = [
            mail.decode(errors="replace")
            for mail in read_mail(host.organisation, trust(host.certificate), self.ada, implicit=True)
        ]

    def story(self, id_):
        """As 'mailsys trace' prints it, without a process for each."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert main(["--config", str(self.host.config), "trace", id_]) == 0
        return printed.getvalue()

    def notices_of(self, address):
        return [
            text for text in self.notices if f"Final-Recipient: rfc822;{address}" in re.sub("; ", ";", text)
        ]


def letter(sender, recipients, subject):
    return f"From: {sender}\r\nTo: {', '.join(recipients)}\r\nSubject: {subject}\r\n\r\nHello\r\n"


def write_to_all(host):
    where, ada = host.organisation, host.organisation.people[0]
    with smtplib.SMTP(where.address, where.port("submission"), timeout=SECONDS) as client:
        client.starttls(context=trust(host.certificate))
        client.login(ada.address, ada.password)
        for domain in (*DELIVERED, *FAILED):
            client.sendmail(ada.address, [f"eve@{domain}"], letter(ada.address, [f"eve@{domain}"], domain))
        both = ["good@nomx.test", "nobody@nomx.test"]
        client.sendmail(ada.address, both, letter(ada.address, both, "both"))


def wait_until_over(host):
    deadline = time.monotonic() + SECONDS
    while left := json.loads(host.run("queue", "list", "--json")):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """All letters have gone their way."""
    folder = tmp_path_factory.mktemp("lab")
    addresses = [one.address for one in BROKEN]
    everywhere = [organisations(1, 0)[0].address, ADDRESS, *addresses]
    with kept_port_base(everywhere) as base:
        yield from visited(folder, base)


def visited(folder, base):
    """From the start of all hosts to their end."""
    (organisation,) = organisations(1, base)
    host, names = Host(organisation, folder / "alpha"), NameServerProcess(folder, base + DNS)
    broken = BrokenHosts(folder, organisation.port("smtp"))
    host.make()
    join(host, names, retry="1s 1s")
    names.write([*published(host), *(line for one in BROKEN for line in records(one))])
    try:
        for process in (names, broken, host):
            process.start()
        for process in (names, broken, host):
            process.wait_until_ready()
        write_to_all(host)
        wait_until_over(host)
        yield Outcomes(host)
    finally:
        for process in (host, broken, names):
            process.stop()


def test_every_broken_host_is_tried():
    assert {one.domain for one in BROKEN} | {"unheard-of.test"} == {*DELIVERED, *FAILED}


@pytest.mark.parametrize("domain", DELIVERED)
def test_it_arrives_all_the_same(outcomes, domain):
    attempts, words = DELIVERED[domain]
    row = outcomes.rows[f"eve@{domain}"]
    assert (row["state"], row["attempts"]) == ("delivered", attempts)
    assert row["said"] == "250 2.0.0 Taken, and thrown away"
    story = outcomes.story(row["id"])
    assert f"Sent to <eve@{domain}>" in story
    assert words in story
    assert outcomes.notices_of(f"eve@{domain}") == []


@pytest.mark.parametrize("domain", FAILED)
def test_it_fails_and_the_sender_is_told(outcomes, domain):
    attempts, words = FAILED[domain]
    row = outcomes.rows[f"eve@{domain}"]
    assert (row["state"], row["attempts"]) == ("failed", attempts)
    assert words in outcomes.story(row["id"])
    (notice,) = outcomes.notices_of(f"eve@{domain}")
    assert "Action: failed" in notice
    assert words in notice


def test_one_good_and_one_bad_recipient(outcomes):
    """The good one gets the message, and the notice tells of the bad one alone."""
    assert outcomes.rows["good@nomx.test"]["state"] == "delivered"
    assert outcomes.rows["nobody@nomx.test"]["state"] == "failed"
    assert outcomes.notices_of("good@nomx.test") == []
    (notice,) = outcomes.notices_of("nobody@nomx.test")
    assert "Nobody of that name" in notice
