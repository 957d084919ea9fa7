"""What becomes of signatures that strangers write, each as the RFC says, or stricter where it may be."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim_parts import NOW, result_of, verified, zone_with
from signed_by_hand import MESSAGE, record_of, rsa_key, sign_by_hand

from mailsys.dkim.results import Result
from mailsys.dkim.verify import verify
from mailsys.message.content import FileContent, HeadedContent, MemoryContent
from mailsys.threads import NoThreads

KEY = rsa_key()
NAME = "sel._domainkey.example.org"


def outcome(message, now=NOW, record=None):
    """The only result, and why."""
    [found] = verified(message, zone_with({NAME: record or record_of(KEY)}), now)
    return found.result, found.reason


@pytest.mark.parametrize("c", ["simple", "relaxed", "simple/simple", "simple/relaxed", "relaxed/simple"])
def test_each_canonicalization(c):
    assert outcome(sign_by_hand(KEY, c=c)) == (Result.PASS, "")


def test_relays_may_fold_anew_what_is_relaxed():
    message = sign_by_hand(KEY).replace(b"Subject: Lunch", b"subject:\r\n\t Lunch  ")
    assert outcome(message.replace(b"  Ann\r\n", b" Ann \t\r\n\r\n\r\n")) == (Result.PASS, "")
    assert outcome(sign_by_hand(KEY, c="simple/simple").replace(b"Subject:", b"subject:"))[0] is Result.FAIL


@pytest.mark.row(39)
@pytest.mark.parametrize(
    ("tags", "result", "reason"),
    [
        ({"l": "0"}, Result.POLICY, "17 octets at the end of the body are not signed"),
        ({"l": "9"}, Result.POLICY, "8 octets at the end of the body are not signed"),
        ({"l": "17"}, Result.PASS, ""),
        ({"l": "18"}, Result.PERMERROR, "l= is larger than the body"),
        ({"l": "9" * 76}, Result.PERMERROR, "l= is larger than the body"),
        ({"l": "-1"}, Result.NEUTRAL, "l= is no number of at most 76 digits"),
        ({"l": "9" * 77}, Result.NEUTRAL, "l= is no number of at most 76 digits"),
        ({"t": str(NOW + 90_000)}, Result.PERMERROR, "it was made in the future"),
        ({"t": str(NOW + 3_600)}, Result.PASS, ""),
        ({"x": str(NOW - 1)}, Result.PERMERROR, "it has expired"),
        ({"x": str(NOW + 1)}, Result.PASS, ""),
        ({"t": "100", "x": "100"}, Result.PERMERROR, "it expires before it was made"),
        ({"a": "rsa-sha1"}, Result.PERMERROR, "rsa-sha1 is no longer safe"),
        ({"a": "dsa-sha512"}, Result.PERMERROR, "its algorithm is unknown"),
        ({"h": "to:subject"}, Result.PERMERROR, "it does not sign From"),
        ({"h": ":".join(["from", *["x"] * 3000])}, Result.PERMERROR, "it signs more than 500 fields"),
        (
            {"h": ":".join(["from", *["x"] * 10_000])},
            Result.NEUTRAL,
            "the field cannot be read: it is longer",
        ),
        ({"h": "from:a b"}, Result.NEUTRAL, "h= is no list of field names"),
        ({"v": "2"}, Result.PERMERROR, "it is of an unknown version"),
        ({"bh": "AAAA"}, Result.NEUTRAL, "bh= is no SHA-256"),
        ({"bh": "!"}, Result.NEUTRAL, "bh= is no base64"),
        ({"bh": "A" * 43 + "="}, Result.FAIL, "the body was changed"),
        ({"b": "AAAA"}, Result.FAIL, "the signed fields were changed, or another key made the signature"),
        ({"b": ""}, Result.FAIL, "the signed fields were changed, or another key made the signature"),
        ({"c": "strict"}, Result.PERMERROR, "its canonicalization is unknown"),
        ({"q": "http"}, Result.PERMERROR, "its key is not in DNS"),
        ({"q": "x/y:dns/txt"}, Result.PASS, ""),
        ({"i": "ann@mail.example.org"}, Result.PASS, ""),
        ({"i": "ann@example.com"}, Result.PERMERROR, "i= is not of the domain d="),
        ({"i": "ann@badexample.org"}, Result.PERMERROR, "i= is not of the domain d="),
        ({"i": "ann"}, Result.NEUTRAL, "i= has no @"),
        ({"i": "ann@"}, Result.NEUTRAL, "i= is no domain"),
        ({"d": "[192.0.2.1]"}, Result.NEUTRAL, "d= is no domain"),
        ({"d": "a" * 300}, Result.NEUTRAL, "d= is no domain"),
        ({"s": "../x"}, Result.NEUTRAL, "s= is no name"),
        ({"s": "other"}, Result.PERMERROR, "there is no key at other._domainkey.example.org"),
        ({"z": "From:ann@example.org|To:x", "unknown": "x"}, Result.PASS, ""),
    ],
)
def test_tags_of_a_signature(tags, result, reason):
    found, why = outcome(sign_by_hand(KEY, **tags))
    assert (found, why[: len(reason)]) == (result, reason)
    assert bool(why) == bool(reason)


@pytest.mark.row(39)
@pytest.mark.parametrize("name", ["v", "a", "b", "bh", "d", "h", "s"])
def test_a_tag_is_missing(name):
    assert outcome(sign_by_hand(KEY, without=[name])) == (Result.PERMERROR, f"it has no {name}=")


@pytest.mark.row(39)
@pytest.mark.parametrize(
    ("record", "result", "reason"),
    [
        (record_of(KEY, p=""), Result.PERMERROR, "the key was revoked"),
        (record_of(KEY, k="unknown"), Result.PERMERROR, "the key is of another kind than the signature"),
        (record_of(KEY, h="sha1"), Result.PERMERROR, "the key is not for SHA-256"),
        (record_of(KEY, h="sha1:sha256"), Result.PASS, ""),
        (record_of(KEY, s="tlsrpt"), Result.PERMERROR, "the key is not for mail"),
        (record_of(KEY, s="x:email"), Result.PASS, ""),
        (record_of(KEY, v="DKIM2"), Result.PERMERROR, "the key record is of an unknown version"),
        (
            f"k=rsa; {record_of(KEY)}".replace("; k=rsa; p", "; p"),
            Result.PERMERROR,
            "the key record is of an",
        ),
        (record_of(KEY).replace("v=DKIM1; ", ""), Result.PASS, ""),
        ("v=DKIM1", Result.PERMERROR, "the key record has no p="),
        ("v=DKIM1; p=AAAA", Result.PERMERROR, "the key cannot be read"),
        ("v=DKIM1; p=!", Result.PERMERROR, "the key record cannot be read: p= is no base64"),
        ("v=spf1 -all", Result.PERMERROR, "the key record is of an unknown version"),
        ("hello", Result.PERMERROR, "the key record cannot be read: one of its tags has no name"),
        (record_of(KEY, n="a" * 100_000), Result.PERMERROR, "the key record is too large"),
        (record_of(KEY, t="y"), Result.PASS, ""),
        (record_of(KEY, t="s"), Result.PASS, ""),
    ],
)
def test_key_records(record, result, reason):
    found, why = outcome(sign_by_hand(KEY), record=record)
    assert (found, why[: len(reason)]) == (result, reason)


@pytest.mark.row(39)
def test_sizes_of_keys():
    """RFC 8301 3.2.  Of 512 bits, cryptography itself makes none."""
    large = rsa_key(4096)
    assert outcome(sign_by_hand(large), record=record_of(large)) == (Result.PASS, "")
    for bits, spki in SMALL_AND_HUGE.items():
        record = f"v=DKIM1; k=rsa; p={spki}"
        result, reason = outcome(sign_by_hand(KEY), record=record)
        assert result is Result.PERMERROR, bits
        assert reason in (f"the key has only {bits} bits", "the key has more than 4096 bits")


def _spki(bits):
    """A public key with a modulus of so many bits; nobody has its private one."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = RSAPublicNumbers(65537, 2**bits - 1).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


SMALL_AND_HUGE = {bits: _spki(bits) for bits in (1023, 8192)}


def test_the_form_of_rsa_keys_that_the_rfc_names():
    """RFC 6376 3.6.1 has RSAPublicKey; nearly everybody publishes SubjectPublicKeyInfo."""
    import base64

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    octets = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    record = f"v=DKIM1; p={base64.b64encode(octets).decode()}"
    assert outcome(sign_by_hand(KEY), record=record) == (Result.PASS, "")


def test_ed25519():
    key = Ed25519PrivateKey.generate()
    assert outcome(sign_by_hand(key), record=record_of(key)) == (Result.PASS, "")
    assert outcome(sign_by_hand(key), record="v=DKIM1; k=ed25519; p=AAAA")[1] == "the key cannot be read"
    assert outcome(sign_by_hand(key))[1] == "the key is of another kind than the signature"


def test_a_domain_that_only_tests_is_not_held_to_a_failure():
    message = sign_by_hand(KEY).replace(b"At one?", b"At two?")
    [found] = verified(message, zone_with({NAME: record_of(KEY, t="y:s")}))
    assert (found.result, found.reason, found.is_testing) == (Result.NEUTRAL, "the body was changed", True)


def test_a_strict_key_is_for_its_own_domain_alone():
    strict = record_of(KEY, t="s")
    assert outcome(sign_by_hand(KEY, i="@mail.example.org"), record=strict)[0] is Result.PERMERROR
    assert outcome(sign_by_hand(KEY, i="ann@example.org"), record=strict)[0] is Result.PASS


def test_domains_of_u_labels():
    """RFC 8616 4."""
    resolver = zone_with({"sel._domainkey.xn--mnchen-3ya.example": record_of(KEY)})
    [found] = verified(sign_by_hand(KEY, d="münchen.example", i="jürgen@münchen.example"), resolver)
    assert (found.result, found.domain) == (Result.PASS, "xn--mnchen-3ya.example")
    assert found.identity == "jürgen@xn--mnchen-3ya.example"


def test_dns_has_no_answer_for_the_moment():
    resolver = zone_with({NAME: record_of(KEY)})
    resolver.unavailable.add(NAME)
    [found] = verified(sign_by_hand(KEY), resolver)
    assert (found.result, found.domain, found.selector) == (Result.TEMPERROR, "example.org", "sel")


def test_one_of_several_records_fits():
    resolver = zone_with({NAME: "v=DKIM1; p="})
    resolver.zone.add(f'{NAME} 60 TXT "{record_of(KEY)[:200]}" "{record_of(KEY)[200:]}"')
    [found] = verified(sign_by_hand(KEY), resolver)
    assert found.result is Result.PASS


@pytest.mark.row(39)
def test_of_a_hundred_signatures_ten_are_looked_at():
    message = MESSAGE
    for number in range(100):
        message = sign_by_hand(KEY, s=f"s{number}", x=str(NOW + 1))[: -len(MESSAGE)] + message
    resolver = zone_with({f"s{number}._domainkey.example.org": record_of(KEY) for number in range(100)})
    results = verified(message, resolver)
    assert [one.selector for one in results] == [f"s{number}" for number in range(99, 89, -1)]
    assert {one.result for one in results} == {Result.PASS}
    assert len(resolver.asked) == 10


@pytest.mark.row(39)
def test_the_same_key_is_asked_for_once():
    message = sign_by_hand(KEY, h="from", message=sign_by_hand(KEY))
    resolver = zone_with({NAME: record_of(KEY)})
    assert [one.result for one in verified(message, resolver)] == [Result.PASS, Result.PASS]
    assert len(resolver.asked) == 1


def test_a_signature_may_cover_others_and_never_itself():
    """RFC 6376 3.5; below its own field is the one that it signs, and above one that it does not know."""
    inner = sign_by_hand(KEY)
    both = sign_by_hand(KEY, message=inner, h="from:dkim-signature")
    resolver = zone_with({NAME: record_of(KEY)})
    assert [one.result for one in verified(both, resolver)] == [Result.PASS, Result.PASS]
    over = b"DKIM-Signature: v=1\r\n" + both
    assert [one.result for one in verified(over, resolver)][1:] == [Result.PASS, Result.PASS]
    spoilt = both.replace(b"from:to:subject:date", b"from:to:subject:date:x")
    assert verified(spoilt, resolver)[0].result is Result.FAIL


@pytest.mark.row(39)
def test_a_second_from_is_noticed_if_the_signer_oversigned():
    second = b"From: Mallory <m@evil.example>\r\n"
    plain = sign_by_hand(KEY)
    assert outcome(second + plain)[0] is Result.PASS  # signed was the lower one, and it is there
    assert outcome(second + sign_by_hand(KEY, h="from:from:to"))[0] is Result.FAIL


@pytest.mark.row(39)
def test_a_header_that_is_too_large_is_not_looked_at():
    message = sign_by_hand(KEY, message=b"X: y\r\n" * 60_000 + MESSAGE)
    [found] = verified(message, zone_with({}))
    assert (found.result, found.reason) == (Result.PERMERROR, "the header of the message is too large")


def test_a_large_body_is_hashed_in_a_thread(tmp_path):
    """Whether it comes from memory or from a file, and with lines of ours in front."""
    message = MESSAGE + b"All work and no play\t makes  Jack a dull boy. \r\n" * 10_000
    whole = sign_by_hand(KEY, message=message)
    path = tmp_path / "message"
    path.write_bytes(b"junk" + whole)
    threads = CountingThreads()
    resolver = zone_with({NAME: record_of(KEY)})
    for content in (
        MemoryContent([whole[:50], whole[50:70_000], whole[70_000:]]),
        FileContent(str(path), len(whole), 4),
        HeadedContent(b"Received: from x\r\n", FileContent(str(path), len(whole), 4)),
    ):
        [found] = result_of(verify(content, resolver, NOW, threads))
        assert found.result is Result.PASS
    assert threads.ran == 3


class CountingThreads(NoThreads):
    ran = 0

    def run(self, function, *arguments):
        self.ran += 1
        return super().run(function, *arguments)
