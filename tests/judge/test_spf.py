"""SPF over a zone: results, what is told of them, and the limits."""

import pytest
from spf_suite import SuiteResolver, judged
from zones import ZoneResolver

from mailsys.judge.spf.evaluation import SPFWord

ZONE = {
    "example.com": [
        {"TXT": "v=spf1 ip4:192.0.2.0/24 a mx include:_spf.example.net exp=why.example.com -all"}
    ],
    "_spf.example.net": [{"TXT": "v=spf1 a:out.example.net ?all"}],
    "out.example.net": [{"A": "198.51.100.7"}, {"AAAA": "2001:db8::7"}],
    "why.example.com": [{"TXT": "%{c} is no host of %{d}, says %{r}"}],
    "redirected.example": [{"TXT": "v=spf1 redirect=example.com"}],
    "nowhere.example": [{"TXT": "v=spf1 redirect=nothing.example"}],
    "soft.example": [{"TXT": "v=spf1 ~all"}],
    "open.example": [{"TXT": "v=spf1 +all"}],
    "silent.example": [{"TXT": "unrelated"}],
    "two.example": [{"TXT": "v=spf1 -all"}, {"TXT": "v=spf1 +all"}],
    "bad.example": [{"TXT": "v=spf1 ip4:192.0.2.1 foo -all"}],
    "loop.example": [{"TXT": "v=spf1 include:loop.example -all"}],
    "broken.example": ["TIMEOUT"],
    "includes-broken.example": [{"TXT": "v=spf1 include:broken.example -all"}],
    "half.example": [{"TXT": "v=spf1 a:half-host.example -all"}],
    "half-host.example": [{"AAAA": "2001:db8::1"}, "TIMEOUT"],
    "voids.example": [{"TXT": "v=spf1 a:x1.example a:x2.example a:x3.example +all"}],
    "few-voids.example": [{"TXT": "v=spf1 a:x1.example a:x2.example +all"}],
    "eleven.example": [{"TXT": "v=spf1 " + "a:out.example.net " * 11 + "-all"}],
    "ten.example": [{"TXT": "v=spf1 " + "a:out.example.net " * 10 + "-all"}],
    "many-mx.example": [{"TXT": "v=spf1 mx -all"}, *[{"MX": [10, "out.example.net"]}] * 512],
    "named.example": [{"TXT": "v=spf1 ptr:example.net -all"}],
    "7.100.51.198.in-addr.arpa": [*[{"PTR": "false.example"}] * 9, {"PTR": "out.example.net"}],
    "8.100.51.198.in-addr.arpa": [*[{"PTR": "false.example"}] * 10, {"PTR": "out.example.net"}],
    "local.example": [{"TXT": "v=spf1 exists:%{l}.ok.local.example -all"}],
    "ann.ok.local.example": [{"A": "127.0.0.2"}],
    "long.example": [{"TXT": "v=spf1 exp=long-why.example -all"}],
    "long-why.example": [{"TXT": ["x" * 250] * 400}],
    "odd.example": [{"TXT": "v=spf1 exp=odd-why.example -all"}],
    "odd-why.example": [{"TXT": "line\r\nRCPT TO:<x>\x00\x1b[31m"}],
}


def check(host, sender, helo="mx.example.org"):
    return judged(SuiteResolver(ZONE), host, helo, sender)


@pytest.mark.parametrize(
    ("host", "sender", "word"),
    [
        ("192.0.2.77", "a@example.com", "pass"),
        ("198.51.100.7", "a@example.com", "pass"),
        ("2001:db8::7", "a@example.com", "pass"),
        ("203.0.113.1", "a@example.com", "fail"),
        ("192.0.2.77", "a@redirected.example", "pass"),
        ("203.0.113.1", "a@redirected.example", "fail"),
        ("203.0.113.1", "a@nowhere.example", "permerror"),
        ("203.0.113.1", "a@soft.example", "softfail"),
        ("203.0.113.1", "a@open.example", "pass"),
        ("203.0.113.1", "a@silent.example", "none"),
        ("203.0.113.1", "a@nothing.example", "none"),
        ("203.0.113.1", "a@com", "none"),
        ("203.0.113.1", "a@[203.0.113.1]", "none"),
        ("203.0.113.1", "a@two.example", "permerror"),
        ("192.0.2.1", "a@bad.example", "permerror"),
        ("192.0.2.1", "a@loop.example", "permerror"),
        ("192.0.2.1", "a@broken.example", "temperror"),
        ("192.0.2.1", "a@includes-broken.example", "temperror"),
        ("192.0.2.1", "a@eleven.example", "permerror"),
        ("192.0.2.1", "a@ten.example", "fail"),
        ("198.51.100.7", "a@named.example", "pass"),
        ("198.51.100.8", "a@named.example", "fail"),
        ("203.0.113.1", "a@many-mx.example", "permerror"),
        ("203.0.113.1", "a@voids.example", "permerror"),
        ("203.0.113.1", "a@few-voids.example", "pass"),
        ("203.0.113.1", "ann@local.example", "pass"),
        ("203.0.113.1", "bob@local.example", "fail"),
    ],
)
@pytest.mark.row(44)
def test_results(host, sender, word):
    result = check(host, sender)
    assert result.word.value == word
    assert result.reason


def test_the_name_in_helo_counts_where_there_is_no_sender():
    assert check("192.0.2.1", "", helo="example.com").word is SPFWord.PASS
    assert check("203.0.113.1", "", helo="example.com").word is SPFWord.FAIL


def test_one_kind_of_address_that_fails_is_no_fail():
    """What is known of IPv6 says nothing of an IPv4 client."""
    assert check("192.0.2.1", "a@half.example").word is SPFWord.TEMPERROR
    assert check("2001:db8::1", "a@half.example").word is SPFWord.PASS


def test_the_domain_may_explain():
    result = check("203.0.113.1", "a@example.com")
    assert result.explanation == "203.0.113.1 is no host of example.com, says receiver.example"
    assert result.reason == '"-all" in the record of example.com matches'
    assert check("203.0.113.1", "a@redirected.example").explanation.startswith("203.0.113.1 is no host")


def test_what_a_redirect_leads_to_speaks_for_the_domain_that_was_asked_about():
    assert check("192.0.2.77", "a@redirected.example").domain == "redirected.example"


@pytest.mark.row(44)
def test_no_explanation_is_long_or_more_than_a_line():
    assert check("203.0.113.1", "a@long.example").explanation == ""
    odd = check("203.0.113.1", "a@odd.example")
    assert (odd.word, odd.explanation) == (SPFWord.FAIL, "")


@pytest.mark.row(44)
@pytest.mark.parametrize("local_part", ["a%{d}", "x..y", 'q" q', "a/b", "%00", "é", "x" * 64, "."])
def test_odd_local_parts_in_a_macro(local_part):
    """Whatever stands there is a name that does not exist, or no name at all."""
    assert check("203.0.113.1", f"{local_part}@local.example").word in (SPFWord.FAIL, SPFWord.PERMERROR)


def test_over_the_zone_of_the_lab():
    resolver = ZoneResolver(
        """
        example.test. 60 TXT "v=spf1 a:" "mx.example.test -all"
        mx.example.test. 60 A 127.0.1.1
        """
    )
    assert judged(resolver, "127.0.1.1", "x", "a@example.test").word is SPFWord.PASS
    assert judged(resolver, "127.0.1.2", "x", "a@example.test").word is SPFWord.FAIL
