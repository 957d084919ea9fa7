"""What strangers publish and write about who they are: records of SPF and DMARC, Authentication-Results.

A value or the declared exception, nothing else, and never more than 50 ms of work.
"""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spf_suite import SuiteResolver, judged

from mailsys.control.at_once import at_once
from mailsys.judge.dmarc.evaluation import Identifier, evaluate
from mailsys.judge.dmarc.record import parse_record as parse_dmarc
from mailsys.judge.spf.evaluation import SPFWord
from mailsys.judge.spf.record import MOST_OCTETS, BadRecord
from mailsys.judge.spf.record import parse_record as parse_spf
from mailsys.message.authentication_results import claiming, id_of, rendered
from mailsys.message.headers import parse_headers

pytestmark = pytest.mark.row(66)

BEST_OF = 5
SECONDS = 0.05

SPF_BITS = """a mx ptr all include
exists ip4 ip6 redirect exp : = / // + - ~ ? % %{ } %{d} %{p} %{ir} %{s99r-} %%
d.test x.d.test 192.0.2.1 2001:db8:: 24 128 0 . é \0"""
DMARC_BITS = "v = DMARC1 ; p sp np none reject psd t y n rua mailto:a@b , é \0"

spf_bits = st.sampled_from(SPF_BITS.split())
spf_records = st.lists(spf_bits | st.just(" "), max_size=30).map(lambda bits: "v=spf1 " + "".join(bits))
dmarc_bits = st.sampled_from([*DMARC_BITS.split(), " "])
dmarc_records = st.lists(dmarc_bits, max_size=30).map(lambda bits: "v=DMARC1;" + "".join(bits))
words = st.text(max_size=40) | st.sampled_from(['"', "\\", "(", ";", "\r\n", "a@b", ""])
values = st.lists(
    st.sampled_from([b"(", b")", b"\\", b'"', b";", b" ", b"\r\n ", b"mail.test", b"1", b"\xff", b"="]),
    max_size=30,
).map(b"".join)


@given(spf_records)
def test_spf_records(text):
    with suppress(BadRecord):
        parse_spf(text.encode())


@given(spf_records, spf_records, words)
def test_spf_over_any_zone(one, other, local_part):
    zone = {
        "d.test": [{"TXT": one}, {"A": "192.0.2.1"}, {"MX": [1, "x.d.test"]}],
        "x.d.test": [{"TXT": other}],
    }
    result = judged(SuiteResolver(zone), "192.0.2.1", "x.d.test", f"{local_part}@d.test")
    assert result.word in SPFWord
    assert len(result.reason) < 600
    assert result.explanation.isascii()
    assert result.explanation.isprintable()


@given(dmarc_records, dmarc_records)
def test_dmarc_over_any_zone(one, other):
    parse_dmarc(one.encode())
    zone = {"_dmarc.a.b.test": [{"TXT": one}], "_dmarc.test": [{"TXT": other}]}
    result = at_once(evaluate("a.b.test", [Identifier("spf", "c.b.test", True)], SuiteResolver(zone)))
    assert result.word in ("pass", "fail", "none")


@given(values)
def test_results_of_others(value):
    id_of(value)
    block = b"Authentication-Results:" + value.replace(b"\r\n ", b" ") + b"\r\n\r\n"
    claiming(parse_headers(block), "mail.test")


@given(words, words, st.booleans())
def test_our_results_hold_what_strangers_say(one, other, smtputf8):
    field = rendered(
        "mail.test", [("spf=pass", [("smtp.mailfrom", one), ("smtp.helo", other)])], smtputf8=smtputf8
    )
    assert field.endswith(b"\r\n")
    assert all(line.startswith(b"\t") for line in field.split(b"\r\n")[1:-1])
    assert [found.name for found in parse_headers(field + b"\r\n").fields] == [b"Authentication-Results"]
    assert id_of(field.partition(b":")[2]) == "mail.test"


# ---------------------------------------------------------------------- time


def full(first, term):
    text = f"v=spf1 {first} "
    return text + f"{term} " * ((MOST_OCTETS - len(text)) // (len(term) + 1))


TERMS = ["ip6:2001:db8:1:2:3::/80", "ip4:192.0.2.1/32", "x=%{d}", "ip4:1.2.3.4", "a"]


def chain(term):
    """As many includes as are followed, each with a record that is as long as it may be."""
    return {f"d{n}.test": [{"TXT": full(f"include:d{n + 1}.test", term)}] for n in range(12)}


def macros():
    terms = " ".join("exists:" + "%{s1r-}" * 60 + ".d.test" for _ in range(9))
    return {"d0.test": [{"TXT": f"v=spf1 {terms} -all"}]}


def best(work):
    found = float("inf")
    for _ in range(BEST_OF):
        parse_spf.cache_clear()
        start = time.thread_time()
        work()
        found = min(found, time.thread_time() - start)
    return found


@pytest.mark.row(44)
@pytest.mark.parametrize("zone", [*map(chain, TERMS), macros()], ids=[*TERMS, "macros"])
def test_no_spf_record_takes_long(zone):
    resolver = SuiteResolver(zone)
    sender = f"{'-'.join('abcdefghijklmnopqrstuvwxyz012345')}@d0.test"
    assert best(lambda: judged(resolver, "203.0.113.1", "h.test", sender)) < SECONDS


@pytest.mark.row(41)
@pytest.mark.parametrize(
    "value", [b"(" * 250_000, b"()" * 125_000, b'"' + b"\\a" * 120_000, b" " * 250_000, b"\\" * 250_000]
)
def test_no_results_of_others_take_long(value):
    one = parse_headers(b"Authentication-Results: " + value + b"\r\n\r\n")
    many = parse_headers(b"".join([b"Authentication-Results: " + value[:30] + b"\r\n"] * 4000) + b"\r\n")
    assert best(lambda: claiming(one, "mail.test")) < SECONDS
    assert best(lambda: claiming(many, "mail.test")) < SECONDS
