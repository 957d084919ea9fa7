"""Signatures and key records of strangers: whatever they are made of has a result."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.dkim.arc import has_chain, verify_arc
from mailsys.dkim.canonical import BODIES
from mailsys.dkim.key_record import KeyRecord, NoKey, parse_key_record
from mailsys.dkim.results import DKIMResult
from mailsys.dkim.signature import BadSignature, Signature, parse_signature
from mailsys.dkim.signed_header import read_signed_header
from mailsys.dkim.verify import MOST_SIGNATURES, verify
from mailsys.message.content import MemoryContent
from mailsys.threads import NoThreads

KEY = (
    b"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b"
    b"yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l"
    b"/K4w3QIDAQAB"
)
HASH = b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
names = st.sampled_from(
    [b"v", b"a", b"b", b"bh", b"c", b"d", b"h", b"i", b"k", b"l", b"p", b"q", b"s", b"t", b"x", b"cv"]
)
values = st.sampled_from(
    [b"1", b"DKIM1", b"rsa-sha256", b"ed25519-sha256", b"simple", b"relaxed/relaxed", b"example.org",
     b"from:to", b"from : From", b"@example.org", b"sel", b"dns/txt", b"rsa", b"ed25519", b"email", b"*",
     b"y:s", b"0", b"99999", b"none", b"pass", KEY, HASH, b"", b"\xc3\xbc.example", b"\xff"]
)  # fmt: skip
gaps = st.sampled_from([b"", b"", b" ", b"\r\n\t"])
tags = st.tuples(gaps, names, gaps, st.just(b"="), gaps, values | st.binary(max_size=6), gaps).map(b"".join)
lists_of_tags = st.lists(tags | st.binary(max_size=5), max_size=14).map(b";".join)
fields = st.builds(
    lambda name, value: name + b":" + value.replace(b"\n", b"\n ") + b"\r\n",
    st.sampled_from(
        [b"DKIM-Signature", b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results", b"From"]
    ),
    lists_of_tags,
)


@given(lists_of_tags)
def test_signatures(value):
    try:
        found = parse_signature(value)
    except BadSignature as bad:
        found = bad.outcome
    assert isinstance(found, Signature) or found.reason


@given(lists_of_tags, st.sampled_from(["rsa", "ed25519"]))
def test_key_records(value, kind):
    try:
        found = parse_key_record(value, kind)
    except NoKey as bad:
        found = str(bad)
    assert isinstance(found, KeyRecord) or found


@given(st.lists(fields, max_size=6).map(b"".join), st.binary(max_size=30))
def test_messages(header, body):
    content = MemoryContent([header + b"\r\n" + body])
    record = KEY.decode()
    resolver = ZoneResolver(
        f'sel._domainkey.example.org. 60 TXT "v=DKIM1; p={record[:200]}" "{record[200:]}"'
    )
    results = at_once(verify(content, resolver, 1_800_000_000, NoThreads()))
    assert len(results) <= MOST_SIGNATURES
    assert all(isinstance(one, DKIMResult) for one in results)
    parsed = read_signed_header(content)
    if has_chain(parsed):
        at_once(verify_arc(content, parsed, resolver, NoThreads()))


@pytest.mark.parametrize("kind", sorted(BODIES))
@pytest.mark.parametrize("unit", [b" ", b"\t", b"\r", b"\n", b"\r\n", b" \r\n", b"\r\n\n", b" \t", b"a\t"])
def test_bodies_take_time_in_proportion(kind, unit):
    """Four times as much takes at most some ten times as long, however it is cut."""

    def seconds(octets):
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            body = BODIES[kind]()
            for at in range(0, len(octets), 4096):
                for _piece in body.feed(octets[at : at + 4096]):
                    pass
            list(body.finish())
            best = min(best, time.process_time() - began)
        return best

    small = seconds(unit * 20_000)
    assert seconds(unit * 80_000) < 10 * small + 0.02
