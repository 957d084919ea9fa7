import pytest

from mailsys.config.nexthop import MX, NextHop, parse_route, parse_smarthost
from mailsys.config.values import Wrong


@pytest.mark.parametrize(
    ("text", "hop"),
    [
        ("smtp://127.0.0.1:2525", NextHop("smtp", "127.0.0.1", 2525)),
        ("smtp://relay.example.org", NextHop("smtp", "relay.example.org", 25)),
        ("smtps://relay.example.org/", NextHop("smtps", "relay.example.org", 465)),
        ("smtp://me@relay.example.org:587", NextHop("smtp", "relay.example.org", 587, "me")),
        ("smtp://me%40example.org@relay:587", NextHop("smtp", "relay", 587, "me@example.org")),
        ("lmtp://[::1]:24", NextHop("lmtp", "::1", 24)),
        ("smtp://m\u00fcller.example", NextHop("smtp", "xn--mller-kva.example", 25)),
        ("mx", MX),
    ],
)
def test_next_hops(text, hop):
    parse = parse_smarthost if hop.user else parse_route
    assert parse(text) == hop
    assert parse(str(hop)) == hop


def test_a_route_has_no_user():
    """There is a password for the smarthost alone."""
    with pytest.raises(Wrong, match=r"only send\.smarthost can log in"):
        parse_route("smtp://me@relay.example.org")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "relay.example.org",
        "http://relay",
        "smtp://",
        "smtp://relay:0",
        "smtp://relay:99999",
        "smtp://relay/path",
        "smtp://[::1",
        "smtp://relay?tls=no",
        "MX",
        "smtp://a_.example",
        "smtp://a b.example",
    ],
)
def test_what_is_no_next_hop(text):
    with pytest.raises(Wrong):
        parse_route(text)


def test_a_password_has_no_place_in_a_url():
    with pytest.raises(Wrong, match="smarthost_password_file"):
        parse_smarthost("smtp://me:secret@relay")


def test_a_smarthost_speaks_no_lmtp():
    with pytest.raises(Wrong, match="LMTP"):
        parse_smarthost("lmtp://relay")
