"""RET, ENVID, NOTIFY and ORCPT: read, refused in plain words, and said again as they were (RFC 3461)."""

import pytest
from client_house import ANN, BOB, order
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.envelope import Envelope, NoticeWish, Notify, Return
from mailsys.wire.smtp.client_lines import mail_line, rcpt_line
from mailsys.wire.smtp.commands import Mail, Rcpt, parse_mail, parse_rcpt
from mailsys.wire.smtp.grammar import Malformed
from mailsys.wire.smtp.offers import Offers

DSN = Offers("mx", {"DSN": ()})
NEVER, SUCCESS, FAILURE, DELAY = Notify.NEVER, Notify.SUCCESS, Notify.FAILURE, Notify.DELAY


@pytest.mark.parametrize(
    ("parameters", "wished"),
    [
        ("", (None, "")),
        (" RET=FULL", (Return.FULL, "")),
        (" ret=hdrs ENVID=QQ314159", (Return.HEADERS, "QQ314159")),
        (" ENVID=a+20b+2Bc+3D+3d", (None, "a b+c==")),
        (f" ENVID={'x' * 100}", (None, "x" * 100)),
    ],
)
def test_mail(parameters, wished):
    mail = parse_mail(f"FROM:<ann@example.org>{parameters}".encode())
    assert (mail.notice_return, mail.notice_id) == wished
    assert bool(mail.wished) == bool(parameters)


@pytest.mark.parametrize(
    ("parameters", "wish"),
    [
        ("", ((), "")),
        (" NOTIFY=NEVER", ((NEVER,), "")),
        (" notify=success,Failure,DELAY", ((SUCCESS, FAILURE, DELAY), "")),
        (" NOTIFY=DELAY,DELAY", ((DELAY,), "")),
        (" ORCPT=rfc822;Bob+2Bx@Example.ORG", ((), "rfc822;Bob+x@Example.ORG")),
        (" ORCPT=rfc822;+22a+20b+22@example.org NOTIFY=DELAY", ((DELAY,), 'rfc822;"a b"@example.org')),
        (r" ORCPT=utf-8;zo\x{EB}@example.org", ((), "utf-8;zoë@example.org")),
        (" ORCPT=UTF-8;zoë@example.org", ((), "UTF-8;zoë@example.org")),
        (" ORCPT=x400;/C=de", None),
        (" ORCPT=x400;/C+3Dde", ((), "x400;/C=de")),
        (f" ORCPT=rfc822;{'x' * 493}", ((), f"rfc822;{'x' * 493}")),
    ],
)
def test_rcpt(parameters, wish):
    argument = f"TO:<bob@example.org>{parameters}".encode()
    if wish is None:
        with pytest.raises(Malformed, match=r"501 5\.5\.4"):
            parse_rcpt(argument)
        return
    rcpt = parse_rcpt(argument)
    assert rcpt == Rcpt(BOB, NoticeWish(frozenset(wish[0]), wish[1]))
    assert bool(rcpt.wished) == bool(parameters)
    assert parse_rcpt(f"TO:<postmaster>{parameters}".encode()).wish == rcpt.wish


@pytest.mark.row(33)
@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("FROM:<> RET", "RET must be FULL or HDRS"),
        ("FROM:<> RET=BODY", "RET must be FULL or HDRS"),
        ("FROM:<> RET=FULL RET=FULL", "given twice"),
        ("FROM:<> ENVID", "1 to 100 characters"),
        (f"FROM:<> ENVID={'x' * 101}", "1 to 100 characters"),
        ("FROM:<> ENVID=a+0Db", "printable"),
        ("FROM:<> ENVID=a+0D+0ABcc:x", "printable"),
        ("FROM:<> ENVID=a+00", "printable"),
        ("FROM:<> ENVID=a+7F", "printable"),
        ("FROM:<> ENVID=a+2", "xtext"),
        ("FROM:<> ENVID=a+XY", "xtext"),
        ("FROM:<> ENVID=a+C4", "xtext"),
        ("FROM:<> ENVID=ä", "xtext"),
        ("TO:<a@b.c> NOTIFY", "NOTIFY must be NEVER, or some of"),
        ("TO:<a@b.c> NOTIFY=ALWAYS", "NOTIFY must be NEVER, or some of"),
        ("TO:<a@b.c> NOTIFY=SUCCESS,", "NOTIFY must be NEVER, or some of"),
        ("TO:<a@b.c> NOTIFY=SUCCESS,NEVER", "NEVER must stand alone"),
        ("TO:<a@b.c> ORCPT", "1 to 500 characters"),
        (f"TO:<a@b.c> ORCPT=rfc822;{'x' * 494}", "1 to 500 characters"),
        ("TO:<a@b.c> ORCPT=ann@example.org", "a type, a semicolon and an address"),
        ("TO:<a@b.c> ORCPT=rfc822;", "a type, a semicolon and an address"),
        ("TO:<a@b.c> ORCPT=;ann@example.org", "a type, a semicolon and an address"),
        ("TO:<a@b.c> ORCPT=rf+20c;ann@example.org", "a type, a semicolon and an address"),
        ("TO:<a@b.c> ORCPT=rfc822;a+0D+0AX:@b", "printable"),
        ("TO:<a@b.c> ORCPT=rfc822;zoë@b", "xtext"),
        (r"TO:<a@b.c> ORCPT=utf-8;zo\x{D800}@b", "xtext"),
        (r"TO:<a@b.c> ORCPT=utf-8;a\x{0D}@b", "printable"),
        ("TO:<a@b.c> ORCPT=rfc822;a@b NOTIFY=DELAY NOTIFY=DELAY", "given twice"),
    ],
)
def test_what_is_wrong_is_said(argument, words):
    """Row 33: 501 5.5.4, and nothing of a bad value is kept."""
    parse = parse_mail if argument.startswith("FROM") else parse_rcpt
    with pytest.raises(Malformed) as malformed:
        parse(argument.encode())
    reply = malformed.value.reply
    assert (reply.code, reply.enhanced) == (501, "5.5.4")
    assert words in reply.text


wishes = st.builds(
    NoticeWish,
    st.just(frozenset([NEVER])) | st.frozensets(st.sampled_from([SUCCESS, FAILURE, DELAY])),
    st.just("")
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=100).map(
        "rfc822;".__add__
    )
    | st.text(min_size=1, max_size=30).filter(str.isprintable).map("utf-8;".__add__),
)
ids = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=33)


@given(wishes, ids, st.none() | st.sampled_from(Return))
def test_what_we_say_to_the_next_host_is_what_we_were_told(wish, id_, wanted):
    envelope = Envelope("m1", ANN, (BOB,), notice_return=wanted, notice_id=id_, wishes={BOB: wish})
    said = order(BOB, envelope=envelope)
    argument = rcpt_line(said, BOB, DSN).removeprefix(b"RCPT ").removesuffix(b"\r\n")
    assert parse_rcpt(argument) == Rcpt(BOB, wish)
    argument = mail_line(said, DSN).removeprefix(b"MAIL ").removesuffix(b"\r\n")
    assert parse_mail(argument) == Mail(ANN, notice_return=wanted, notice_id=id_)
