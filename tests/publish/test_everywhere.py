"""A key may sign when every name server of its zone shows it."""

import pytest
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.publish.everywhere import not_yet_everywhere
from mailsys.publish.wanted import Key, Need

KEYS = [
    Key("new-rsa._domainkey.mail.example.org", "v=DKIM1; k=rsa; p=AAAA", Need.USEFUL),
    Key("new-ed._domainkey.mail.example.org", "v=DKIM1; k=ed25519; p=BBBB", Need.USEFUL),
]
SHOWN = [f'{key.name}. 60 TXT "{key.text}"' for key in KEYS]
ZONE = [
    "example.org. 60 NS ns1.example.net.",
    "example.org. 60 NS ns2.example.net.",
    "ns1.example.net. 60 A 192.0.2.1",
    "ns1.example.net. 60 AAAA 2001:db8::1",
    "ns2.example.net. 60 A 192.0.2.2",
    *SHOWN,
]
ALL = {"192.0.2.1": SHOWN, "2001:db8::1": SHOWN, "192.0.2.2": SHOWN}


def reason(zone=ZONE, servers=ALL):
    """``servers`` are by their address, with what each shows; None for one that does not answer."""

    def at(address):
        resolver = ZoneResolver("\n".join(servers[address] or SHOWN))
        if servers[address] is None:
            resolver.unavailable.update(key.name for key in KEYS)
        return resolver

    return at_once(not_yet_everywhere(KEYS, ZoneResolver("\n".join(zone)), at))


def test_all_show_it():
    assert reason() == ""


@pytest.mark.parametrize(
    ("zone", "servers", "words"),
    [
        (ZONE[:5], ALL, "new-rsa._domainkey.mail.example.org is not published"),
        ([*ZONE[:5], SHOWN[0]], ALL, "new-ed._domainkey.mail.example.org is not published"),
        (
            [*ZONE[:5], SHOWN[0].replace("AAAA", "CCCC")],
            ALL,
            "new-rsa._domainkey.mail.example.org has",
        ),
        (ZONE, ALL | {"192.0.2.2": SHOWN[:1]}, "ns2.example.net does not show new-ed._domainkey."),
        (ZONE, ALL | {"2001:db8::1": SHOWN[1:]}, "ns1.example.net does not show new-rsa._domainkey."),
        (ZONE, ALL | {"192.0.2.2": None}, "the name server ns2.example.net does not answer"),
        ([*ZONE[:4], *SHOWN], ALL, "the name server ns2.example.net has no address"),
    ],
)
def test_one_does_not(zone, servers, words):
    assert reason(zone, servers).startswith(words)


def test_an_address_that_cannot_be_reached_is_no_objection():
    assert reason(servers=ALL | {"2001:db8::1": None}) == ""


def test_without_name_servers_the_usual_resolver_decides():
    assert reason(SHOWN, {}) == ""


def test_dns_has_no_answer_for_the_moment():
    resolver = ZoneResolver("\n".join(ZONE))
    resolver.unavailable.add("example.org")
    assert at_once(not_yet_everywhere(KEYS, resolver, lambda _: resolver)) == "SERVFAIL for example.org"
    resolver.unavailable = {KEYS[0].name}
    assert at_once(not_yet_everywhere(KEYS, resolver, lambda _: resolver)).startswith("SERVFAIL for new-rsa")


def test_a_key_that_is_an_alias_is_looked_up_where_it_leads():
    zone = [
        "new-rsa._domainkey.mail.example.org. 60 CNAME a.keys.example.com.",
        'a.keys.example.com. 60 TXT "v=DKIM1; k=rsa; p=AAAA"',
        "keys.example.com. 60 NS ns.example.com.",
        "ns.example.com. 60 A 192.0.2.9",
        SHOWN[1],
    ]
    asked = []

    def at(address):
        asked.append(address)
        return ZoneResolver("\n".join(zone))

    assert at_once(not_yet_everywhere(KEYS, ZoneResolver("\n".join(zone)), at)) == ""
    assert asked == ["192.0.2.9"]
