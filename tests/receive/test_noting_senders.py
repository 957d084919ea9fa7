"""Whose mail was delivered into an INBOX is remembered, and nobody else's."""

import pytest
from dialogs.runner import Play
from smtp_house import House

from mailsys.interfaces import Disposition, Finding, Verdict
from mailsys.judge.silent import SilentJudge

MESSAGE = b"From: a@client.example\r\nSubject: x\r\n\r\nHello\r\n.\r\n"


class Fixed(SilentJudge):
    name = "fixed"

    def __init__(self, disposition, *findings):
        self.disposition = disposition
        self.findings = findings

    async def message(self, session, envelope, content):
        for finding in self.findings:
            session.findings[finding.method] = (finding,)
        return Verdict(self.disposition, "so it is")


def sent(house, *recipients):
    play = Play(house.conversation, {"service": "smtp"})
    play.connection.take()
    play.say(b"EHLO x\r\n")
    play.say(b"MAIL FROM:<a@client.example>\r\n")
    for recipient in recipients:
        play.say(f"RCPT TO:<{recipient}>\r\n".encode())
    play.say(b"DATA\r\n")
    return play.say(MESSAGE)


def test_who_is_delivered_is_remembered_for_each_recipient():
    house = House()
    sent(house, "ann@our.example", "nobody@our.example", "everybody@our.example")
    assert house.history.noted == [("a@client.example", ["ann@our.example", "everybody@our.example"])]


@pytest.mark.parametrize("disposition", [Disposition.JUNK, Disposition.DEFER, Disposition.REJECT])
def test_junk_and_what_is_refused_is_not(disposition):
    house = House()
    house.judges = (Fixed(disposition),)
    sent(house, "ann@our.example")
    assert house.history.noted == []


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("finding", "is_vouched_for"),
    [
        (Finding("spf", "pass", "client.example"), True),
        (Finding("spf", "softfail", "client.example"), False),
        (Finding("dkim", "pass", "client.example"), False),  # without SPF nobody asked whose MAIL is
        (None, False),
    ],
)
def test_only_a_sender_that_is_shown_hears_of_a_failure(finding, is_vouched_for):
    house = House()
    house.judges = (Fixed(Disposition.ACCEPT, *([finding] if finding else [])),)
    sent(house, "ann@our.example")
    ((acceptance, _),) = house.intake.accepted
    assert acceptance.envelope.is_vouched_for is is_vouched_for


@pytest.mark.row(32)
def test_a_signature_of_the_senders_domain_shows_it_too():
    house = House()
    findings = (Finding("spf", "neutral", "client.example"), Finding("dkim", "pass", "client.example"))
    house.judges = (Fixed(Disposition.ACCEPT, *findings),)
    sent(house, "ann@our.example")
    ((acceptance, _),) = house.intake.accepted
    assert acceptance.envelope.is_vouched_for
