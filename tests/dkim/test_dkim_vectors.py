"""The signed messages that the RFCs print."""

import pytest
from dkim_parts import verified, zone_with
from rfc_messages import BRISBANE_ED25519, BRISBANE_RSA, RFC6376, RFC8463, TEST_RSA

from mailsys.dkim.results import DKIMResult, Result

KEYS = {
    "brisbane._domainkey.example.com": BRISBANE_RSA,
    "brisbane._domainkey.football.example.com": BRISBANE_ED25519,
    "test._domainkey.football.example.com": TEST_RSA,
}


def test_rfc_6376():
    [found] = verified(RFC6376, zone_with(KEYS))
    assert found.signature.startswith("AuUoFEfDxTDkHlLXSZEpZj79")
    assert found == DKIMResult(
        Result.PASS,
        "example.com",
        "brisbane",
        "rsa-sha256",
        "joe@football.example.com",
        signature=found.signature,
    )


def test_rfc_8463_has_two_signatures():
    ed25519, rsa = verified(RFC8463, zone_with(KEYS))
    assert (ed25519.result, ed25519.algorithm, ed25519.selector) == (
        Result.PASS,
        "ed25519-sha256",
        "brisbane",
    )
    assert (rsa.result, rsa.algorithm, rsa.selector) == (Result.PASS, "rsa-sha256", "test")
    assert rsa.signed_at == 1528637909


@pytest.mark.parametrize("message", [RFC6376, RFC8463])
def test_a_change_of_body_or_signed_field_is_noticed(message):
    for changed, reason in (
        (message.replace(b"hungry", b"Hungry"), "the body was changed"),
        (message.replace(b"Is dinner", b"Is supper"), "the signed fields were changed"),
        (message.replace(b"Date:", b"From: Mallory <m@evil.example>\r\nDate:"), "the signed fields"),
    ):
        for found in verified(changed, zone_with(KEYS)):
            assert found.result is Result.FAIL
            assert found.reason.startswith(reason)


def test_what_is_not_signed_may_come_in_front():
    [found] = verified(b"Received: from elsewhere\r\nX: y\r\n" + RFC6376, zone_with(KEYS))
    assert found.result is Result.PASS


def test_no_signature_no_result():
    assert verified(b"From: a@example.com\r\n\r\nHello\r\n", zone_with(KEYS)) == ()
