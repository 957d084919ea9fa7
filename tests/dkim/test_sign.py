"""Our signatures: what they cover, and that nobody can add to it."""

import math
import re

import pytest
from dkim_parts import NOW, pair, result_of, signed, verified, zone_with
from signed_by_hand import MESSAGE

from mailsys.dkim.results import Result
from mailsys.dkim.sign import OVERSIGNED
from mailsys.dkim.signer import Signer
from mailsys.message.content import MemoryContent
from mailsys.threads import NoThreads

FULL = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.net,\r\n\tcarol@example.net\r\nCc: dave@example.net\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\nReply-To: ann@example.org\r\nIn-Reply-To: <0@example.net>\r\n"
    b"References: <0@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\nSender: ann@example.org\r\n"
    b"List-Unsubscribe: <mailto:x@example.org>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"X-Other: y\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)


def results(message, now=NOW):
    _keys, records = pair()
    return [(one.result, one.algorithm) for one in verified(message, zone_with(records), now)]


BOTH = [(Result.PASS, "rsa-sha256"), (Result.PASS, "ed25519-sha256")]
NEITHER = [(Result.FAIL, "rsa-sha256"), (Result.FAIL, "ed25519-sha256")]


@pytest.mark.parametrize(
    "message", [FULL, MESSAGE, b"From: a@example.org\r\n\r\n", b"From: a@example.org\r\n"]
)
def test_both_keys_sign(message):
    assert results(signed(message, pair()[0])) == BOTH


def test_lines_stay_short_and_the_field_is_whole():
    head = signed(FULL, pair()[0])[: -len(FULL)]
    assert head.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=example.org;")
    assert max(map(len, head.split(b"\r\n"))) <= 78
    assert all(line.startswith((b"\t", b"DKIM-Signature: ")) for line in head.split(b"\r\n")[:-1])


@pytest.mark.row(40)
@pytest.mark.parametrize("name", OVERSIGNED)
@pytest.mark.parametrize("message", [FULL, MESSAGE])
def test_no_field_that_matters_can_be_added(name, message):
    whole = signed(message, pair()[0])
    assert results(name + b": forged\r\n" + whole) == NEITHER
    assert results(whole.replace(b"\r\n\r\n", b"\r\n" + name + b": forged\r\n\r\n", 1)) == NEITHER


@pytest.mark.row(40)
def test_lists_may_add_theirs_and_not_change_what_is_there():
    assert (
        results(b"List-Id: <l.example.net>\r\nSender: l@example.net\r\n" + signed(MESSAGE, pair()[0])) == BOTH
    )
    whole = signed(FULL, pair()[0])
    assert results(whole.replace(b"One-Click", b"Two-Click")) == NEITHER


@pytest.mark.row(40)
def test_a_signature_ends():
    whole = signed(FULL, pair()[0], valid_seconds=1000)
    assert results(whole, NOW + 1000) == BOTH
    assert [result for result, _ in results(whole, NOW + 1001)] == [Result.PERMERROR] * 2


class OneKeyring:
    """Keys of example.org alone."""

    domains = ("example.org",)

    def active(self, domain):
        return pair()[0] if domain == "example.org" else ()


def lines(message, keyring=None):
    signer = Signer(keyring or OneKeyring(), NoThreads(), lambda: NOW + 0.5, 600)
    return result_of(signer.lines(MemoryContent([message])))


def test_the_domain_in_from_decides():
    assert len(lines(FULL)) == 2
    assert results(b"".join(lines(FULL)) + FULL) == BOTH
    assert re.search(rb"t=%d; x=%d;" % (NOW, NOW + 600), lines(FULL)[0])
    for author in (
        b"ann@example.net",
        b"ann@notexample.org",
        b"ann@org",
        b"bob@example.net, ann@example.org",
        b"nobody",
        b"",
    ):
        assert lines(MESSAGE.replace(b"Ann <ann@example.org>", author)) == (), author
    assert (
        len(lines(MESSAGE.replace(b"ann@example.org", b"root@mail.example.org"))) == 2
    )  # programs of the host
    assert lines(b"From: ann@example.org\r\n" + MESSAGE) == ()  # two are none
    assert lines(b"To: ann@example.org\r\n\r\n") == ()
    assert lines(b"X: y\r\n" * 60_000 + MESSAGE) == ()


def test_what_leaves_later_is_signed_for_longer():
    signer = Signer(OneKeyring(), NoThreads(), lambda: NOW, 600)
    [field, _] = result_of(signer.lines(MemoryContent([FULL]), NOW + 86_400.0))
    assert b"t=%d; x=%d;" % (NOW, NOW + 86_400 + 600) in field


def test_what_leaves_nobody_knows_when_is_signed_without_end():
    signer = Signer(OneKeyring(), NoThreads(), lambda: NOW, 600)
    fields = result_of(signer.lines(MemoryContent([FULL]), math.inf))
    assert all(b"t=%d;\r\n" % NOW in field and b" x=" not in field for field in fields)
    assert results(b"".join(fields) + FULL, NOW + 400 * 86_400) == BOTH
