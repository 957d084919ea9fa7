"""What DNS says, held against what it should say."""

import pytest
from test_wanted import FULL, HOST, KEY
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.own_records import spf_check
from mailsys.publish.comparison import State, compare, is_same_key
from mailsys.publish.wanted import Host, Key, Need, txt_data, wanted_records

BASE = [
    "example.org. 60 MX 10 mail.example.org.",
    "mail.example.org. 60 A 192.0.2.1",
    "1.2.0.192.in-addr.arpa. 60 PTR mail.example.org.",
    'example.org. 60 TXT "v=spf1 mx -all"',
    'mail.example.org. 60 TXT "v=spf1 a -all"',
    '_dmarc.example.org. 60 TXT "v=DMARC1; p=none"',
    f"{KEY.name}. 60 TXT {txt_data(KEY.text)}",
]


def findings(lines, host=HOST, keys=(KEY,), unavailable=()):
    resolver = ZoneResolver("\n".join(lines))
    resolver.unavailable.update(unavailable)
    return at_once(compare("example.org", host, keys, resolver, spf_check(resolver, host.hostname)))


def bad(lines, host=HOST, keys=(KEY,), **options):
    """What suffers: the kind of record, its name, what is the matter."""
    return [
        (one.record.kind, one.record.name, one.state, one.words)
        for one in findings(lines, host, keys, **options)
        if one.is_bad
    ]


def without(start):
    kept = [line for line in BASE if not line.startswith(start)]
    assert len(kept) < len(BASE)
    return kept


def instead(start, line):
    return [*without(start), line]


def test_all_is_right():
    assert bad(BASE) == []
    assert [one.state for one in findings(BASE)] == [State.RIGHT] * 7


def test_what_we_print_is_right():
    lines = [record.line for record in wanted_records("example.org", FULL, [KEY])]
    assert [one.state for one in findings(lines, FULL)] == [State.RIGHT] * len(lines)


def test_nothing_is_there():
    kinds = [(one.record.kind, one.state) for one in findings([])]
    assert kinds == [(kind, State.MISSING) for kind in ("MX", "A", "TXT", "TXT", "TXT", "TXT")]


@pytest.mark.parametrize(
    ("lines", "kind", "name", "state", "words"),
    [
        (without("example.org. 60 MX"), "MX", "example.org", "missing", "mail for example.org does not come"),
        (
            instead("example.org. 60 MX", "example.org. 60 MX 5 mx.else.example."),
            "MX", "example.org", "wrong", "mail for example.org does not come to this host",
        ),
        (
            without("1.2"),
            "PTR", "1.2.0.192.in-addr.arpa", "missing", "large receivers refuse mail from an address that",
        ),
        (
            instead("1.2", "1.2.0.192.in-addr.arpa. 60 PTR static-1.isp.example."),
            "PTR", "1.2.0.192.in-addr.arpa", "wrong", "large receivers refuse",
        ),
        (without("example.org. 60 TXT"), "TXT", "example.org", "missing", "nobody can tell its mail"),
        (
            [*BASE, 'example.org. 60 TXT "v=spf1 -all"'],
            "TXT", "example.org", "wrong", "there are several SPF records",
        ),
        (
            instead("example.org. 60 TXT", 'example.org. 60 TXT "v=spf1 ip4:198.51.100.1 -all"'),
            "TXT", "example.org", "wrong", "mail from 192.0.2.1 has the result fail: ",
        ),
        (
            instead("example.org. 60 TXT", 'example.org. 60 TXT "v=spf1 nonsense -all"'),
            "TXT", "example.org", "wrong", "mail from 192.0.2.1 has the result permerror: ",
        ),
        (without("_dmarc"), "TXT", "_dmarc.example.org", "missing", "large receivers want one"),
        (
            [*BASE, '_dmarc.example.org. 60 TXT "v=DMARC1; p=reject"'],
            "TXT", "_dmarc.example.org", "wrong", "there are several DMARC records",
        ),
        (without("a._domainkey"), "TXT", KEY.name, "missing", "nobody can verify our signatures"),
        (
            instead("a._domainkey", f'{KEY.name}. 60 TXT "v=DKIM1; p=BBBB"'),
            "TXT", KEY.name, "wrong", "nobody can verify our signatures",
        ),
    ],
)  # fmt: skip
def test_one_is_not_right(lines, kind, name, state, words):
    found_kind, found_name, found_state, found_words = bad(lines)[0]  # without MX, its SPF fails as well
    assert (found_kind, found_name, found_state.value) == (kind, name, state)
    assert found_words.startswith(words)


def test_dns_has_no_answer():
    [found] = bad(BASE, unavailable=["_dmarc.example.org"])
    assert found[2] is State.UNKNOWN
    assert found[3].startswith("DNS has no answer for the moment")


def test_next_and_old_keys_keep_nobody_waiting():
    keys = [KEY, Key("b._domainkey.example.org", KEY.text, Need.USEFUL), Key("c.x", KEY.text, Need.OLD)]
    assert bad(BASE, keys=keys) == []
    states = {one.record.name: one.state for one in findings(BASE, keys=keys)}
    assert states["b._domainkey.example.org"] is State.MISSING


def test_over_a_relay_the_record_is_for_others_to_know():
    host = Host("mail.example.org", is_relayed=True)
    lines = instead("example.org. 60 TXT", 'example.org. 60 TXT "v=spf1 include:relay.example -all"')
    assert bad(lines, host) == []


def test_services():
    host = Host("mail.example.org", services=(("imaps", 993),))
    name = "_imaps._tcp.example.org"
    for line, state in (
        ("", State.MISSING),
        (f"{name}. 60 SRV 0 1 993 mail.example.org.", State.RIGHT),
        (f"{name}. 60 SRV 0 1 143 mail.example.org.", State.WRONG),
    ):
        *_, found = findings([*BASE, line], host)
        assert (found.record.kind, found.state) == ("SRV", state)
        assert not found.is_bad


def test_ipv6_addresses_point_back():
    lines = [line.replace("A 192.0.2.1", "AAAA 2001:db8::1") for line in BASE if not line.startswith("1.2")]
    [found] = bad(lines)
    assert found[:2] == ("PTR", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
    assert bad([*lines, f"{found[1]}. 60 PTR mail.example.org."]) == []


def test_the_same_key_in_other_words():
    wanted = "v=DKIM1; k=rsa; p=AAAA"
    assert is_same_key(b"p=AA AA", wanted)
    assert is_same_key(b"v=DKIM1; h=sha256; t=s; p=AAAA;", wanted)
    assert not is_same_key(b"v=DKIM1; k=ed25519; p=AAAA", wanted)
    assert not is_same_key(b"v=DKIM1; p=", wanted)
    assert not is_same_key(b"garbage", wanted)


def test_what_strangers_say_is_shown_on_one_line():
    lines = instead("_dmarc", '_dmarc.example.org. 60 TXT "v=DMARC1; p=none; x=\\027[2J" "' + "y" * 250 + '"')
    lines = [*lines, '_dmarc.example.org. 60 TXT "v=DMARC1"']
    for one in findings(lines):
        for text in one.found:
            assert text.isprintable()
            assert len(text) <= 301
