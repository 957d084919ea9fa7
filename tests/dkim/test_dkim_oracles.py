"""Others verify what we sign, and we what they sign: dkimpy, and Perl's Mail::DKIM.

(Debian's opendkim-testmsg signs with SHA-1, and verifies only with the world's DNS.)

./check tests/dkim --hypothesis-profile=long --timeout=3600 tries thousands of messages.
"""

import base64
import json
import random
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from dkim_parts import NOW, pair, signed, verified, zone_with
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsys.dkim.results import Result

dkim = pytest.importorskip("dkim")

WORDS = ["a", "lunch", "Grüße", "the quick brown fox", "x" * 70, ".", ";", "b=abc", "=?utf-8?q?caf=C3=A9?="]
GAPS = [" ", "  ", "\t", " \t ", "\r\n ", "\r\n\t  "]
NAMES = ["Subject", "To", "Cc", "Date", "Message-ID", "Reply-To", "X-Folded", "MIME-Version", "List-Id", "to"]

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)
values = st.builds(lambda words, gap: gap.join(words), texts, st.sampled_from(GAPS))
fields = st.builds(
    lambda name, before, value, after: f"{name}:{before}{value}{after}\r\n",
    st.sampled_from(NAMES),
    st.sampled_from(["", " ", "  ", "\t"]),
    values,
    st.sampled_from(["", " ", "\t "]),
)
body_lines = st.sampled_from(
    ["", "", " ", "\t", "Hello  there ", "\tTab\tbed\t", "..", "Grüße", "a" * 900, "From x"]
)
bodies = st.lists(body_lines, max_size=12).map(lambda lines: "".join(f"{line}\r\n" for line in lines))
messages = st.builds(
    lambda before, after, body: "".join(
        [*before, "From: Ann <ann@example.org>\r\n", *after, "\r\n", body]
    ).encode(),
    st.lists(fields, max_size=4),
    st.lists(fields, max_size=4),
    bodies,
)
FEW = 60


def few(test):
    """Each message costs dkimpy some milliseconds; the long profile has its own number."""
    many = settings.default.max_examples
    return settings(max_examples=many if many > 100 else FEW)(test)


def lookup(name, timeout=5):
    """The key records, as dkimpy asks for them."""
    return pair()[1].get(name.decode().rstrip("."), "").encode() or None


@few
@given(messages)
def test_dkimpy_verifies_what_we_sign(message):
    whole = signed(message, pair()[0], now=1_700_000_000, valid_seconds=10**9)
    for index in range(2):
        assert dkim.DKIM(whole).verify(index, dnsfunc=lookup)


@few
@given(
    messages, st.sampled_from(["simple", "relaxed"]), st.sampled_from(["simple", "relaxed"]), st.booleans()
)
def test_we_verify_what_dkimpy_signs(message, header, body, is_small):
    key = pair()[0][is_small]
    field = dkim.sign(
        message,
        key.selector.encode(),
        b"example.org",
        _for_dkimpy(key),
        canonicalize=(header.encode(), body.encode()),
        signature_algorithm=key.algorithm.encode(),
    )
    [found] = verified(field + message, zone_with(pair()[1]), now=_soon(field))
    assert (found.result, found.reason) == (Result.PASS, "")


def _for_dkimpy(key):
    if key.algorithm.startswith("rsa"):
        return pem(key)
    raw = key.key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(raw)


def pem(key):
    return key.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _soon(field):
    """The time of the signature: dkimpy and others look at the real clock."""
    return int(field.split(b"t=")[1].split(b";")[0]) if b" t=" in field else NOW


def some_messages(seed):
    """Messages made without hypothesis, for programs that take many at once."""
    many = settings.default.max_examples
    chance = random.Random(seed)
    for _ in range(many // 2 if many > 100 else 20):
        head = [
            f"{name}: {chance.choice(GAPS).join(chance.choices(WORDS, k=3))}\r\n"
            for name in chance.sample(NAMES[:-1], chance.randint(0, 5))
        ]
        lines = chance.choices(
            ["", " ", "Hello  there ", "\tTab\tbed", "a" * 900, "Grüße"], k=chance.randint(0, 9)
        )
        body = "".join(f"{line}\r\n" for line in lines)
        yield "".join([*head, "From: Ann <ann@example.org>\r\n", "\r\n", body]).encode()


PERL = r"""
use strict; use warnings; use JSON::PP; use MIME::Base64;
use Mail::DKIM::Verifier; use Mail::DKIM::Signer; use Mail::DKIM::PublicKey;
my $in = decode_json(do { local $/; <STDIN> });
{
    no warnings 'redefine';
    *Mail::DKIM::PublicKey::fetch_async = sub {
        my ($class, %what) = @_;
        my $key = $class->parse($in->{keys}{"$what{Selector}._domainkey.$what{Domain}"});
        $key->check;
        my $done = $what{Callbacks}{Success} || sub { $_[0] };
        return sub { $done->($key) };
    };
}
my (@results, @fields);
for my $text (@{$in->{messages}}) {
    my $octets = decode_base64($text);
    my $verifier = Mail::DKIM::Verifier->new();
    $verifier->PRINT($octets);
    $verifier->CLOSE;
    push @results, $verifier->result_detail;
}
for my $text (@{$in->{unsigned}}) {
    my $signer = Mail::DKIM::Signer->new(
        Algorithm => 'rsa-sha256', Method => $in->{method}, Domain => 'example.org',
        Selector => $in->{selector}, KeyFile => $in->{file},
    );
    $signer->PRINT(decode_base64($text));
    $signer->CLOSE;
    push @fields, encode_base64($signer->signature->as_string, '');
}
print encode_json({results => \@results, fields => \@fields});
"""


@pytest.mark.parametrize("method", ["simple/simple", "relaxed/relaxed", "relaxed/simple"])
def test_perl_agrees(method, tmp_path):
    perl = shutil.which("perl")
    if (
        perl is None
        or subprocess.run([perl, "-MMail::DKIM", "-e1"], capture_output=True, check=False).returncode
    ):
        pytest.skip("Perl's Mail::DKIM is not installed (Debian: libmail-dkim-perl)")
    [rsa, _], records = pair()
    unsigned = list(some_messages(method))
    path = tmp_path / "key.pem"
    path.write_bytes(pem(rsa))
    told = {
        "keys": records,
        "messages": [base64.b64encode(signed(one, [rsa], 1_700_000_000, 10**9)).decode() for one in unsigned],
        "unsigned": [base64.b64encode(one).decode() for one in unsigned],
        "method": method,
        "selector": rsa.selector,
        "file": str(path),
    }
    said = subprocess.run(
        [perl, "-e", PERL], input=json.dumps(told), capture_output=True, text=True, timeout=600, check=False
    )
    assert said.stderr == ""
    heard = json.loads(said.stdout)
    assert set(heard["results"]) == {"pass"}
    assert len(heard["fields"]) == len(unsigned)
    for field, message in zip(heard["fields"], unsigned, strict=True):
        [found] = verified(base64.b64decode(field) + b"\r\n" + message, zone_with(records))
        assert (found.result, found.reason) == (Result.PASS, ""), message
