"""The lines that a client says: parameters where they are understood, and never two lines for one."""

import pytest
from client_house import ANN, BOB, EVE, greeted, order

from mailsys.message.address import Address
from mailsys.message.envelope import Body, Envelope, NoticeWish, Notify, Return
from mailsys.wire.smtp.client_lines import command_line, mail_line, rcpt_line
from mailsys.wire.smtp.offers import Offers

ZOE = Address("zoe", "example.org")
EVERYTHING = Offers("mx", dict.fromkeys(["SIZE", "8BITMIME", "SMTPUTF8", "DSN", "BINARYMIME"], ()))


def test_mail_with_everything():
    envelope = Envelope("m1", None, (BOB,), notice_return=Return.HEADERS, notice_id="a+b=c")
    full = order(envelope=envelope, size_octets=7, body=Body.EIGHT_BIT_MIME, smtputf8=True)
    assert mail_line(full, EVERYTHING) == (
        b"MAIL FROM:<> SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb+3Dc\r\n"
    )
    plain = order(envelope=envelope, size_octets=7, body=Body.EIGHT_BIT_MIME)
    assert mail_line(plain, Offers()) == b"MAIL FROM:<>\r\n"


def test_rcpt_with_wishes():
    wish = NoticeWish(frozenset({Notify.DELAY, Notify.FAILURE}), "rfc822;Bob +@example.org")
    zoe = NoticeWish(frozenset(), "utf-8;Zoë+@example.org")
    wishing = order(
        BOB, EVE, ZOE, envelope=Envelope("m1", ANN, (BOB, EVE, ZOE), wishes={BOB: wish, ZOE: zoe})
    )
    assert rcpt_line(wishing, BOB, EVERYTHING) == (
        b"RCPT TO:<bob@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;Bob+20+2B@example.org\r\n"
    )
    assert rcpt_line(wishing, ZOE, EVERYTHING) == (
        b"RCPT TO:<zoe@example.org> ORCPT=utf-8;Zo\\x{EB}\\x{2B}@example.org\r\n"
    )
    assert rcpt_line(wishing, EVE, EVERYTHING) == b"RCPT TO:<eve@example.org>\r\n"
    assert rcpt_line(wishing, BOB, Offers()) == b"RCPT TO:<bob@example.org>\r\n"


def test_rcpt_of_who_is_forwarded():
    """The address that the sender wrote goes along, with the sender's wishes about it."""
    wishes = {EVE: NoticeWish(frozenset({Notify.NEVER}))}
    envelope = Envelope("m1", ANN, (BOB,), wishes=wishes, forwarded={BOB: EVE})
    assert rcpt_line(order(BOB, envelope=envelope), BOB, EVERYTHING) == (
        b"RCPT TO:<bob@example.org> NOTIFY=NEVER ORCPT=rfc822;eve@example.org\r\n"
    )


@pytest.mark.row(3)
@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\x7f", "\r\nRSET"])
def test_no_line_becomes_two(character):
    """Row 3: an address that should not exist does not become a command."""
    with pytest.raises(ValueError, match="control"):
        command_line(f"RCPT TO:<a{character}b@example.org>")
    client = greeted()
    with pytest.raises(ValueError, match="control"):
        client.machine.send(order(Address(f"a{character}b", "example.org")))
    assert client.said == b""
