"""The records that a domain should have."""

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from mailsys.lab.zone import Zone
from mailsys.publish.wanted import Host, Key, Need, Record, txt_data, wanted_records

HOST = Host("mail.example.org")
FULL = Host(
    "mail.example.org",
    ("192.0.2.1", "2001:db8::1"),
    (("submission", 587), ("submissions", 465), ("imaps", 993)),
)
POINTER = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
KEY = Key("a._domainkey.example.org", "v=DKIM1; k=rsa; p=" + "A" * 392, Need.NEEDED)


def lines(host, keys=(), domain="example.org"):
    return [record.line for record in wanted_records(domain, host, keys)]


def test_the_least():
    assert lines(HOST) == [
        "example.org. 3600 MX 10 mail.example.org.",
        'example.org. 3600 TXT "v=spf1 mx -all"',
        'mail.example.org. 3600 TXT "v=spf1 a -all"',
        '_dmarc.example.org. 3600 TXT "v=DMARC1; p=quarantine"',
    ]


def test_all_that_is_known():
    assert lines(FULL, [KEY]) == [
        "example.org. 3600 MX 10 mail.example.org.",
        "mail.example.org. 3600 A 192.0.2.1",
        "1.2.0.192.in-addr.arpa. 3600 PTR mail.example.org.",
        "mail.example.org. 3600 AAAA 2001:db8::1",
        f"{POINTER}. 3600 PTR mail.example.org.",
        'example.org. 3600 TXT "v=spf1 mx ip4:192.0.2.1 ip6:2001:db8::1 -all"',
        'mail.example.org. 3600 TXT "v=spf1 a ip4:192.0.2.1 ip6:2001:db8::1 -all"',
        f'a._domainkey.example.org. 3600 TXT "{KEY.text[:255]}" "{KEY.text[255:]}"',
        '_dmarc.example.org. 3600 TXT "v=DMARC1; p=quarantine"',
        "_submission._tcp.example.org. 3600 SRV 10 1 587 mail.example.org.",
        "_submissions._tcp.example.org. 3600 SRV 0 1 465 mail.example.org.",
        "_imaps._tcp.example.org. 3600 SRV 0 1 993 mail.example.org.",
    ]
    assert Zone(lines(FULL, [KEY])).sets  # a name server takes them


def test_a_host_named_as_its_domain_has_one_spf_record():
    assert sum("v=spf1" in line for line in lines(Host("example.org"))) == 1


def test_over_a_relay_nobody_is_asked_to_refuse_the_rest():
    assert 'example.org. 3600 TXT "v=spf1 mx ~all"' in lines(Host("mail.example.org", is_relayed=True))


@pytest.mark.parametrize("text", ["", "a;b", 'say "hi" \\ there', "ü", "x" * 255, "x" * 256, "\x01"])
def test_texts_come_back_from_a_zone(text):
    read = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, txt_data(text))
    assert b"".join(read.strings) == text.encode()
    assert Record("a", "TXT", text, Need.NEEDED, "").line == f"a. 3600 TXT {txt_data(text)}"
