"""SPF records: what is one, and what is wrong with others."""

import pytest

from mailsys.judge.spf.macros import BadMacro, demand_explanation, expand, expand_domain, letters_in
from mailsys.judge.spf.record import MOST_OCTETS, BadRecord, Qualifier, is_spf, parse_record

VALUES = {
    "s": "strong-bad@email.example.com",
    "l": "strong-bad",
    "o": "email.example.com",
    "d": "email.example.com",
    "i": "192.0.2.3",
    "v": "in-addr",
    "h": "mx.example.org",
}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (b"v=spf1", True),
        (b"v=spf1 -all", True),
        (b"V=SPF1 -all", True),
        (b"v=spf10 -all", False),
        (b"v=spf1\t-all", False),
        (b" v=spf1 -all", False),
        (b"", False),
    ],
)
def test_what_is_a_record(text, is_one):
    assert is_spf(text) is is_one


def test_a_whole_record():
    record = parse_record(
        b"v=spf1 ip4:192.0.2.0/24 -ip6:2001:db8::/32 ?a mx:mx.example.org/28//96 ~exists:%{i}.x.example.org"
        b" include:_spf.example.org moo=cow exp=why.example.org -all"
    )
    assert [one.name for one in record.mechanisms] == ["ip4", "ip6", "a", "mx", "exists", "include", "all"]
    assert [one.qualifier.value for one in record.mechanisms] == ["+", "-", "?", "+", "~", "+", "-"]
    assert record.mechanisms[3].domain == "mx.example.org"
    assert (record.mechanisms[3].ipv4_prefix, record.mechanisms[3].ipv6_prefix) == (28, 96)
    assert (record.redirect, record.exp) == ("", "why.example.org")
    assert parse_record(b"v=spf1   -ALL  ").mechanisms[0].qualifier is Qualifier.FAIL


@pytest.mark.parametrize(
    "term",
    [
        "all:x.example",
        "all/8",
        "include",
        "include:",
        "include:toplevel",
        "include:x.example/24",
        "a:",
        "a/33",
        "a/08",
        "a//129",
        "a/24/64",
        "a:x.example:8080",
        "mx:x.123",
        "ip4",
        "ip4:192.0.2",
        "ip4:192.0.2.1/33",
        "ip4:192.0.2.01",
        "ip4:2001:db8::1",
        "ip6:192.0.2.1",
        "ip6:2001:db8::1%eth0",
        "ip6:2001:db8::/129",
        "exists",
        "exists:%{x}.example",
        "exists:%{c}.example",
        "exists:%{d0}.example",
        "exists:%{d",
        "exists:100%.example",
        "-redirect=x.example",
        "redirect=x.example redirect=y.example",
        "exp=",
        "exp=a.example exp=b.example",
        "moo=%{",
        "moo=%(d)",
        "=x",
        "foo",
        "foo:bar.example",
        "--all",
        "ptr/24",
        "a" * 300 + ".example",
        "exists:" + "%{d}" * 300 + ".example",
    ],
)
def test_what_is_wrong(term):
    with pytest.raises(BadRecord):
        parse_record(f"v=spf1 {term} -all".encode())


def test_what_is_wrong_beyond_ascii_or_size():
    with pytest.raises(BadRecord, match="ASCII"):
        parse_record("v=spf1 a:bücher.example -all".encode())
    with pytest.raises(BadRecord, match="longer"):
        parse_record(b"v=spf1 " + b"ip4:192.0.2.1 " * MOST_OCTETS)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        # The examples of RFC 7208 7.4.
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{d999999999999999999999999999999}", "email.example.com"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("100%% of%_it%-", "100% of it%20"),
    ],
)
def test_macros(text, expanded):
    assert expand(text, VALUES) == expanded


def test_a_long_name_loses_labels_at_its_left():
    name = expand_domain("%{d}." * 20 + "end.example", VALUES)
    assert len(name) <= 253
    assert name.startswith(("email.", "example.", "com."))
    assert name.endswith(".end.example")


def test_letters_and_explanations():
    assert letters_in("%{lr-}.%{I}.%%") == {"l", "i"}
    demand_explanation("%{c} may not send, says %{r} at %{t}")
    for text in ("%{x}", "100% wrong", "%{d0}"):
        with pytest.raises(BadMacro):
            demand_explanation(text)
