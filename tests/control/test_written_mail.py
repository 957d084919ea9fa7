"""What programs write for sendmail, made ready: recipients, header, line ends."""

import os

import pytest

from mailsys.control.written_mail import Writer, WrongMail, write_mail

ANN = "ann@a.test"


def write(octets, *addresses, from_header=False, sender=None, full_name=""):
    return write_mail(
        octets, addresses, Writer("a.test", "ann", sender, full_name, 0.0), from_header=from_header
    )


def names(mail):
    return [str(one) for one in mail.recipients]


def test_what_is_missing_is_added_and_the_rest_stays():
    mail = write(b"Subject: x\n\n.one\n", "bob", full_name="Ann O'Neil, x\n")
    head, _, body = mail.octets.partition(b"\r\n\r\n")
    assert head.startswith(b"Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <0.")
    assert b'\r\nFrom: "Ann O\'Neil, x" <ann@a.test>\r\nSubject: x' in head
    assert body == b".one\r\n"
    assert (str(mail.sender), names(mail), mail.smtputf8) == (ANN, ["bob@a.test"], False)


def test_nothing_is_added_to_what_has_all():
    whole = b"Date: x\r\nMessage-ID: <1@a>\r\nFrom: eve@b.test\r\n\r\nhello\r\n"
    assert write(whole, "bob@b.test").octets == whole


@pytest.mark.parametrize("text", [b"hello\n", b"\nhello\n", b"From ann  Thu Jan  1 00:00:00 1970\nhello\n"])
def test_text_without_a_header_is_all_body(text):
    assert write(text, "bob").octets.endswith(b"From: ann@a.test\r\n\r\nhello\r\n")


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        (b"root (Cron Daemon)", b"root@a.test (Cron Daemon)"),
        (b"Cron root <root>", b"Cron root <root@a.test>"),
        (b"From", b"From@a.test"),
        (b"root@b.test", b"root@b.test"),
        (b"root, ann", b"root, ann"),
        (b"Nobody at all", b"Nobody at all"),
    ],
)
def test_a_user_in_from_gets_the_domain(written, whole):
    assert (
        b"\r\nFrom: " + whole + b"\r\nTo: root\r\n"
        in write(b"Subject: x\nFrom: " + written + b"\nTo: root\n\nhi\n", "root").octets
    )


def test_recipients_of_the_header_and_those_named():
    text = (
        b"To: Bob <bob@b.test>, team: cy@b.test, root;\nCc:\n dan@b.test\nBcc: eve@b.test\nSubject: x\n\nhi\n"
    )
    mail = write(text, "fay@b.test,gus", from_header=True)
    assert names(mail) == [
        "fay@b.test", "gus@a.test", "bob@b.test", "cy@b.test", "root@a.test", "dan@b.test", "eve@b.test",
    ]  # fmt: skip
    assert b"eve" not in mail.octets
    assert b"Cc:\r\n dan@b.test\r\nSubject: x\r\n\r\nhi\r\n" in mail.octets


def test_what_is_resent_goes_to_whom_it_is_resent():
    text = b"Resent-To: bob@b.test\nResent-Bcc: cy@b.test\nTo: dan@b.test\n\nhi\n"
    mail = write(text, from_header=True)
    assert names(mail) == ["bob@b.test", "cy@b.test"]
    assert b"cy@" not in mail.octets


def test_without_t_the_header_stays_as_it_is():
    mail = write(b"To: dan@b.test\nBcc: eve@b.test\n\nhi\n", "bob@b.test")
    assert names(mail) == ["bob@b.test"]
    assert b"Bcc: eve@b.test" in mail.octets


@pytest.mark.parametrize(
    ("said", "sender"), [("<>", None), ("", None), ("root", "root@a.test"), ("<e@b.test>", "e@b.test")]
)
def test_the_sender_that_is_asked_for(said, sender):
    mail = write(b"hello\n", "bob", sender=said)
    assert (mail.sender and str(mail.sender)) == sender
    assert f"From: {sender or ANN}\r\n".encode() in mail.octets


def test_what_needs_smtputf8_says_so():
    assert write("Subject: grün\n\nhello\n".encode(), "bob").smtputf8
    assert write(b"hello\n", "jürgen@b.test").smtputf8
    assert not write("Subject: x\n\ngrün\n".encode(), "bob").smtputf8


@pytest.mark.parametrize(
    ("addresses", "from_header", "status"),
    [((), False, os.EX_USAGE), ((), True, os.EX_USAGE), (("a b@c",), False, os.EX_DATAERR)],
)
def test_what_cannot_be_sent_has_a_status(addresses, from_header, status):
    with pytest.raises(WrongMail) as wrong:
        write(b"hello\n", *addresses, from_header=from_header)
    assert wrong.value.status == status
