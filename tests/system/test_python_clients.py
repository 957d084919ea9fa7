"""smtplib and poplib against a real server: the same bytes come out as went in."""

import poplib
import smtplib

import pytest
from exchange import SECONDS, SENDER, assert_one, deliver, logged_in, mailbox, messages, trusting


def test_smtp_without_tls(host, someone, letter):
    deliver(host, someone, letter)
    assert_one(mailbox(host, someone), letter)


def test_smtp_with_starttls(host, someone, letter):
    where = host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        client.starttls(context=trusting(host))
        client.sendmail(SENDER, [someone.address], letter, ["BODY=8BITMIME"])
    found = mailbox(host, someone)
    assert_one(found, letter)
    assert b"with ESMTPS" in found[0]


def test_lmtp_answers_for_each_recipient(host, someone, letter):
    where = host.organisation
    with smtplib.LMTP(where.address, where.port("lmtp")) as client:
        refused = client.sendmail(SENDER, [someone.address, "nobody@system.test"], letter, ["BODY=8BITMIME"])
    assert list(refused) == ["nobody@system.test"]
    assert refused["nobody@system.test"][0] == 550
    found = mailbox(host, someone)
    assert_one(found, letter)
    assert b"with LMTP" in found[0]


@pytest.mark.parametrize("recipient", ["nobody@system.test", "somebody@elsewhere.example"])
def test_who_is_not_here_is_refused_in_the_session(host, letter, recipient):
    where = host.organisation
    with (
        smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refusal,
    ):
        client.sendmail(SENDER, [recipient], letter)
    assert refusal.value.recipients[recipient][0] == 550


def test_pop3_with_stls(host, someone, letter):
    deliver(host, someone, letter)
    client = poplib.POP3(host.organisation.address, host.organisation.port("pop3"), timeout=SECONDS)
    assert "STLS" in client.capa()
    client.stls(context=trusting(host))
    client.user(someone.address)
    client.pass_(someone.password)
    assert_one(messages(client), letter)
    client.quit()


def test_pop3_with_tls_from_the_start(host, someone, letter):
    deliver(host, someone, letter)
    where = host.organisation
    client = poplib.POP3_SSL(where.address, where.port("pop3s"), timeout=SECONDS, context=trusting(host))
    client.user(someone.address)
    client.pass_(someone.password)
    assert_one(messages(client), letter)
    client.quit()


def test_pop3_headers_and_deletion(host, someone, letter):
    """TOP gives the head alone; DELE counts only after QUIT."""
    deliver(host, someone, letter)
    client = logged_in(host, someone)
    head, _, body = b"\r\n".join(client.top(1, 0)[1]).partition(b"\r\n\r\n")
    assert letter.partition(b"\r\n\r\n")[0] in head
    assert body == b""
    client.dele(1)
    client.close()
    client = logged_in(host, someone)
    assert client.stat()[0] == 1
    client.dele(1)
    client.quit()
    assert mailbox(host, someone) == []


def test_a_wrong_password_opens_nothing(host, someone):
    client = poplib.POP3(host.organisation.address, host.organisation.port("pop3"), timeout=SECONDS)
    client.user(someone.address)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        client.pass_("wrong")
    client.close()
