"""The table that decides: which row a message falls under."""

import pytest

from mailsys.interfaces import Disposition, Finding
from mailsys.judge.policy import TABLE, Case, decide

SPF_PASS = Finding("spf", "pass", "bounce.example")
SPF_FAIL = Finding("spf", "fail", "bounce.example", '"-all" matches')
SIGNED = Finding("dkim", "pass", "list.example")
BROKEN = Finding("dkim", "fail", "author.example")
WHY = "neither SPF nor DKIM passes for author.example"


def dmarc(word, policy="", **detail):
    return Finding("dmarc", word, "author.example", WHY, detail={"policy": policy, **detail})


def case_of(*findings, **known):
    by_method = {}
    for finding in findings:
        by_method[finding.method] = (*by_method.get(finding.method, ()), finding)
    return Case(by_method, **known)


def decided(*findings, **known):
    return decide(case_of(*findings, **known))


CASES = [
    ([dmarc("fail", "reject")], "reject", "wants it refused"),
    ([dmarc("fail", "reject"), SPF_PASS, SIGNED], "reject", "wants it refused"),
    ([dmarc("fail", "reject", list="yes")], "reject", "wants it refused"),
    ([dmarc("fail", "reject", list="yes"), SIGNED], "junk", "mailing list"),
    ([dmarc("fail", "reject", list="yes"), SPF_PASS], "junk", "mailing list"),
    ([dmarc("fail", "quarantine")], "junk", "p=quarantine"),
    ([dmarc("fail", "none")], "accept", "p=none"),
    ([dmarc("fail", "none"), SPF_FAIL], "junk", "may not send"),
    ([dmarc("temperror")], "defer", "cannot be told"),
    ([dmarc("temperror", "reject")], "defer", "cannot be told"),
    ([dmarc("temperror", "none")], "accept", "nobody vouches"),
    ([dmarc("permerror")], "junk", "who wrote it"),
    ([dmarc("pass", "reject"), SPF_FAIL], "accept", "author.example vouches for it"),
    ([dmarc("none"), SPF_FAIL], "junk", "bounce.example says"),
    ([dmarc("none"), SPF_FAIL, BROKEN], "junk", "bounce.example says"),
    ([dmarc("none"), SPF_FAIL, SIGNED], "accept", "list.example has signed it"),
    ([dmarc("none"), SPF_PASS], "accept", "bounce.example says that this host may"),
    ([dmarc("none"), BROKEN], "accept", "nobody vouches"),
    ([SPF_FAIL], "junk", "bounce.example says"),
    ([Finding("spf", "temperror", "bounce.example")], "accept", "nobody vouches"),
    ([Finding("spf", "permerror", "bounce.example")], "accept", "nobody vouches"),
    ([], "accept", "nobody vouches"),
]


@pytest.mark.parametrize(("findings", "word", "sentence"), CASES)
def test_the_table(findings, word, sentence):
    decision = decided(*findings)
    assert decision.disposition is Disposition[word.upper()]
    assert sentence in decision.reason
    assert (decision.reply is not None) == (word in ("reject", "defer"))


@pytest.mark.parametrize("policy", ["reject", "quarantine", "none"])
def test_a_trusted_forwarder(policy):
    decision = decided(dmarc("fail", policy), SPF_FAIL, is_forwarded=True)
    assert decision.disposition is Disposition.ACCEPT
    assert decided(dmarc("none"), SPF_FAIL, is_forwarded=True).disposition is Disposition.ACCEPT


@pytest.mark.parametrize(
    ("findings", "why"),
    [
        ([], "there is no signature"),
        ([SPF_FAIL], "SPF says fail for bounce.example and there is no signature"),
        ([SPF_PASS, BROKEN], "SPF says pass for bounce.example and DKIM says fail for author.example"),
        ([SPF_PASS, Finding("dkim", "none")], "SPF says pass for bounce.example and there is no signature"),
    ],
)
def test_what_the_client_is_told(findings, why):
    assert str(decided(dmarc("fail", "reject"), *findings).reply) == (
        "550 5.7.26 author.example wants mail in its name refused unless SPF or DKIM passes for it (DMARC): "
        + why
    )
    assert decided(dmarc("temperror")).reply.code == 451


@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        ([dmarc("fail", "reject", list="yes"), SIGNED], "in the same way before"),
        ([dmarc("none"), SPF_FAIL], "nobody vouches"),
    ],
)
def test_a_known_sender_is_spared(findings, sentence):
    decision = decided(*findings, is_known=True, is_known_from_list=True)
    assert decision.disposition is Disposition.ACCEPT
    assert sentence in decision.reason


@pytest.mark.parametrize("policy", ["reject", "quarantine"])
def test_what_a_domain_disowns_is_no_known_sender(policy):
    assert decided(dmarc("fail", policy), is_known=True).disposition is not Disposition.ACCEPT


def test_who_is_known_by_a_mail_of_their_own_is_not_known_as_an_author_of_a_list():
    decision = decided(dmarc("fail", "reject", list="yes"), SIGNED, is_known=True)
    assert decision.disposition is Disposition.JUNK


OURS = [
    ([dmarc("fail", "none")], "junk", False),
    ([dmarc("fail", "none"), SPF_PASS, SIGNED], "junk", False),
    ([dmarc("none"), SPF_PASS], "junk", False),
    ([dmarc("none")], "junk", False),
    ([dmarc("none"), Finding("spf", "pass", "author.example")], "accept", False),
    ([dmarc("none"), Finding("dkim", "pass", "mail.author.example")], "accept", False),
    ([dmarc("none"), Finding("dkim", "pass", "evilauthor.example")], "junk", False),
    ([dmarc("pass", "none")], "accept", False),
    ([dmarc("temperror", "none")], "defer", False),
    ([dmarc("fail", "quarantine"), SIGNED], "junk", False),
    ([dmarc("fail", "reject"), SIGNED], "reject", False),
    ([dmarc("fail", "none", list="yes"), SIGNED], "accept", True),
    ([dmarc("none", list="yes"), SPF_PASS], "accept", True),
    ([dmarc("fail", "none", list="yes")], "junk", False),
    ([dmarc("fail", "reject", list="yes"), SIGNED], "junk", False),
    ([SPF_PASS], "accept", False),
]


@pytest.mark.parametrize(("findings", "word", "stays_here"), OURS)
def test_our_own_name_needs_more_than_silence(findings, word, stays_here):
    """Whatever is known of the sender: else a stranger's mail would be forwarded, and pass as ours."""
    decision = decided(*findings, is_ours=True, is_known=True, is_known_from_list=True)
    assert decision.disposition is Disposition[word.upper()]
    assert decision.stays_here is stays_here


def test_a_trusted_forwarder_may_bring_our_own_mail():
    for finding in (dmarc("fail", "none"), dmarc("none")):
        decision = decided(finding, is_ours=True, is_forwarded=True)
        assert (decision.disposition, decision.stays_here) == (Disposition.ACCEPT, False)


def test_every_row_is_reached():
    cases = [case_of(*findings) for findings, *_ in CASES]
    cases += [
        case_of(dmarc("fail", "reject"), is_forwarded=True),
        case_of(dmarc("fail", "reject", list="yes"), SIGNED, is_known_from_list=True),
        case_of(dmarc("none"), is_ours=True),
        case_of(dmarc("none", list="yes"), SIGNED, is_ours=True),
    ]
    reached = [next(row for row in TABLE if row.applies(case)) for case in cases]
    assert [row.sentence for row in TABLE if row not in reached] == []


def test_braces_of_a_stranger_are_only_text():
    spf = Finding("spf", "{author} {0}", "{x!r}")
    finding = Finding("dmarc", "fail", "a.example", detail={"policy": "reject"})
    assert decided(finding, spf).reason == (
        "a.example wants it refused (DMARC p=reject): "
        "SPF says {author} {0} for {x!r} and there is no signature"
    )
