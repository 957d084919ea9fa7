"""DMARC: records, the tree walk, alignment, and what a domain wants done."""

import pytest
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.judge.dmarc.discovery import walk
from mailsys.judge.dmarc.evaluation import Identifier, evaluate
from mailsys.judge.dmarc.record import Policy, Record, parse_record

ZONE = """
_dmarc.example.com.           60 TXT "v=DMARC1; p=reject; sp=quarantine; np=reject"
example.com.                  60 MX  10 mx.example.com.
mail.example.com.             60 A   192.0.2.1
_dmarc.mail.example.com.      60 TXT "v=DMARC1; p=none"
news.example.com.             60 A   192.0.2.2
_dmarc.strict.example.        60 TXT "v=DMARC1; p=reject; adkim=s; aspf=s"
_dmarc.test.example.          60 TXT "v=DMARC1; p=reject; t=y"
_dmarc.mild.example.          60 TXT "v=DMARC1; p=quarantine; t=y"
_dmarc.two.example.           60 TXT "v=DMARC1; p=reject"
_dmarc.two.example.           60 TXT "v=DMARC1; p=none"
_dmarc.broken.example.        60 TXT "v=DMARC1; p=everything"
_dmarc.reported.example.      60 TXT "v=DMARC1; p=everything; rua=mailto:d@reported.example"
_dmarc.down.example.          FAILS
_dmarc.bank.                  60 TXT "v=DMARC1; p=reject; psd=y; np=reject"
shop.bank.                    60 A   192.0.2.3
_dmarc.own.bank.              60 TXT "v=DMARC1; p=quarantine"
_dmarc.uni.co.test.           60 TXT "v=DMARC1; p=reject; psd=n"
_dmarc.dept.uni.co.test.      60 TXT "v=DMARC1; p=none"
_dmarc.co.test.               60 TXT "v=DMARC1; p=none"
"""


def passed(method, domain):
    return Identifier(method, domain, True)


def result(author, *identifiers, zone=ZONE):
    return at_once(evaluate(author, identifiers, ZoneResolver(zone)))


@pytest.mark.row(45)
@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("v=DMARC1; p=reject", Record(Policy.REJECT)),
        ("v=DMARC1;p=Quarantine;", Record(Policy.QUARANTINE)),
        ("v = DMARC1 ; p = none ; unknown=tag", Record()),
        ("v=DMARC1", Record()),
        ("v=DMARC1; pct=0; ri=1; p=reject", Record(Policy.REJECT)),
        ("v=DMARC1; rua=mailto:a@b; p=reject", Record(Policy.REJECT)),
        ("v=DMARC1; p=reject; adkim=s; aspf=x", Record(Policy.REJECT, is_dkim_strict=True)),
        ("v=DMARC1; p=none; sp=reject; np=quarantine", Record(Policy.NONE, Policy.REJECT, Policy.QUARANTINE)),
        ("v=DMARC1; p=reject; t=y; psd=y", Record(Policy.REJECT, psd="y", is_testing=True)),
        ("v=DMARC1; p=reject; p=none", Record(Policy.REJECT)),
        ("v=DMARC1; p=foo", Record(is_usable=False)),
        ("v=DMARC1; p=reject; sp=foo", Record(is_usable=False)),
        ("v=DMARC1; p=foo; rua=not a uri", Record(is_usable=False)),
        ("v=DMARC1; p=foo; rua=mailto:a@b!10m", Record()),
        ("v=DMARC1 p=reject", None),
        ("v=dmarc1; p=reject", None),
        ("v=DMARC2; p=reject", None),
        ("p=reject; v=DMARC1", None),
        ("v=spf1 -all", None),
        ("", None),
        ("v=DMARC1; p=reject; " + "x" * 5000, None),
    ],
)
def test_records(text, record):
    assert parse_record(text.encode()) == record


@pytest.mark.row(45)
@pytest.mark.parametrize("count", range(1, 130))
def test_a_walk_asks_eight_times_at_most(count):
    resolver = ZoneResolver(ZONE)
    labels = [*["a"] * (count - 1), "test"][-count:]
    at_once(walk(".".join(labels), resolver))
    assert len(resolver.asked) == min(count, 8)
    assert resolver.asked[0] == ("_dmarc." + ".".join(labels), "TXT")
    assert resolver.asked[-1] == ("_dmarc.test", "TXT")
    if count > 8:
        assert resolver.asked[1] == ("_dmarc." + ".".join(labels[-7:]), "TXT")


@pytest.mark.parametrize(
    ("domain", "organisation", "applicable"),
    [
        ("example.com", "example.com", "example.com"),
        ("mail.example.com", "example.com", "mail.example.com"),
        ("a.b.mail.example.com", "example.com", "example.com"),
        ("nobody.example", "nobody.example", None),
        ("x.nobody.example", "x.nobody.example", None),
        ("shop.bank", "shop.bank", "bank"),
        ("a.shop.bank", "shop.bank", "bank"),
        ("a.own.bank", "own.bank", "own.bank"),
        ("bank", "bank", "bank"),
        ("a.uni.co.test", "uni.co.test", "uni.co.test"),
        ("dept.uni.co.test", "uni.co.test", "dept.uni.co.test"),
        ("other.co.test", "co.test", "co.test"),
        ("two.example", "two.example", None),
    ],
)
def test_whose_record_counts(domain, organisation, applicable):
    walked = at_once(walk(domain, ZoneResolver(ZONE)))
    assert walked.organisation == organisation
    assert (walked.applicable.domain if walked.applicable else None) == applicable


@pytest.mark.parametrize(
    ("author", "identifiers", "word"),
    [
        ("example.com", [], "fail"),
        ("example.com", [passed("spf", "example.com")], "pass"),
        ("example.com", [passed("spf", "bounce.example.com")], "pass"),
        ("news.example.com", [passed("dkim", "example.com")], "pass"),
        ("news.example.com", [passed("dkim", "x.y.example.com")], "pass"),
        ("example.com", [passed("dkim", "example.net")], "fail"),
        ("example.com", [passed("dkim", "badexample.com")], "fail"),
        ("example.com", [passed("dkim", "com")], "fail"),
        ("strict.example", [passed("spf", "mail.strict.example")], "fail"),
        ("strict.example", [passed("dkim", "mail.strict.example")], "fail"),
        ("strict.example", [passed("dkim", "strict.example")], "pass"),
        ("a.shop.bank", [passed("dkim", "shop.bank")], "pass"),
        ("shop.bank", [passed("dkim", "thief.bank")], "fail"),
        ("shop.bank", [passed("dkim", "bank")], "fail"),
        ("nobody.example", [passed("spf", "nobody.example")], "none"),
        ("two.example", [], "none"),
        ("broken.example", [], "none"),
        ("reported.example", [], "fail"),
        ("down.example", [], "temperror"),
        ("down.example", [passed("spf", "mail.down.example")], "temperror"),
        ("down.example", [passed("spf", "down.example")], "pass"),
        ("example.com", [Identifier("spf", "example.com", False)], "temperror"),
        ("example.com", [Identifier("spf", "example.net", False)], "fail"),
    ],
)
def test_results(author, identifiers, word):
    assert result(author, *identifiers).word == word


@pytest.mark.row(45)
@pytest.mark.parametrize(
    ("author", "policy", "published_by"),
    [
        ("example.com", Policy.REJECT, "example.com"),
        ("mail.example.com", Policy.NONE, "mail.example.com"),
        ("news.example.com", Policy.QUARANTINE, "example.com"),  # sp
        ("gone.example.com", Policy.REJECT, "example.com"),  # np: there is no such name
        ("test.example", Policy.QUARANTINE, "test.example"),  # t=y: the one below
        ("mild.example", Policy.NONE, "mild.example"),
        ("missing.bank", Policy.REJECT, "bank"),
        ("reported.example", Policy.NONE, "reported.example"),
    ],
)
def test_what_a_domain_wants_done(author, policy, published_by):
    failed = result(author)
    assert (failed.word, failed.policy, failed.published_by) == ("fail", policy, published_by)


def test_a_name_that_only_takes_mail_exists():
    zone = '_dmarc.example.com. 60 TXT "v=DMARC1; p=none; np=reject"\nx.example.com. 60 MX 0 .'
    assert result("x.example.com", zone=zone).policy is Policy.NONE
    assert result("y.example.com", zone=zone).policy is Policy.REJECT
