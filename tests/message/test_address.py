"""The grammar of addresses, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.address import (
    Address,
    AddressError,
    display_domain,
    parse_address,
    parse_domain,
    quoted,
)

VALID = {
    "jane@example.org": ("jane", "example.org"),
    "Jane.Doe+tag@Example.ORG": ("Jane.Doe+tag", "example.org"),
    "!#$%&'*+/=?^_`{|}~-@example.org": ("!#$%&'*+/=?^_`{|}~-", "example.org"),
    "a@b": ("a", "b"),
    "a@1.2.3.4": ("a", "1.2.3.4"),
    "a@with_underscore.example": ("a", "with_underscore.example"),
    '"jane doe"@example.org': ("jane doe", "example.org"),
    '"jane"@example.org': ("jane", "example.org"),
    '""@example.org': ("", "example.org"),
    '"a@b"@example.org': ("a@b", "example.org"),
    '"a\\"b\\\\c"@example.org': ('a"b\\c', "example.org"),
    '"\\a"@example.org': ("a", "example.org"),
    '" "@example.org': (" ", "example.org"),
    "jürgen@example.org": ("jürgen", "example.org"),
    '"jürgen x"@example.org': ("jürgen x", "example.org"),
    "用户@例子.公司": ("用户", "xn--fsqu00a.xn--55qx5d"),
    "a@faß.de": ("a", "xn--fa-hia.de"),
    "a@EXÄMPLE.org": ("a", "xn--exmple-cua.org"),
    "a@exa\u0308mple.org": ("a", "xn--exmple-cua.org"),
    "a@XN--EXMPLE-CUA.org": ("a", "xn--exmple-cua.org"),
    "a@例子。公司": ("a", "xn--fsqu00a.xn--55qx5d"),
    "a@[192.0.2.1]": ("a", "[192.0.2.1]"),
    f"SRS0=a=b=c.example={'x' * 64}@d.example": (f"SRS0=a=b=c.example={'x' * 64}", "d.example"),
    "a@[IPv6:2001:DB8:0::1]": ("a", "[IPv6:2001:db8::1]"),
    "a@[ipv6:::1]": ("a", "[IPv6:::1]"),
}

INVALID = [
    "",
    "@",
    "a",
    "a@",
    "@b",
    "a@b@c",
    "a b@c",
    "<a@b>",
    "a@b>",
    ".a@b",
    "a.@b",
    "a..b@c",
    "a,b@c",
    "a(c)@b",
    "a\\b@c",
    '"a@b',
    'a"@b',
    '"a"b@c',
    'a"b"@c',
    '"a""b"@c',
    '"a\\"@b',
    '"a"',
    '"a"@',
    "a@.b",
    "a@b.",
    "a@b..c",
    "a@-b",
    "a@b-",
    "a@_b",
    "a@b c",
    "a@b\\c",
    "a@b/../c",
    "a@ä..b",
    "a@ä.b.",
    "a@xn--ä",
    "a@\u200b.org",
    "a@a\u202eb.org",
    "a@[192.0.2.256]",
    "a@[192.0.2]",
    "a@[192.0.2.1",
    "a@[",
    "a@[]",
    "a@[::1]",
    "a@[IPv6:192.0.2.1]",
    "a@[IPv6:fe80::1%eth0]",
    "a@[IPv6:fe80::1%\r\nX: y]",
    "a@[example.org]",
    "a@[192.0.2.1]x",
    "a@[١٩٢.0.2.1]",
]


@pytest.mark.parametrize(("text", "parts"), VALID.items())
def test_valid(text, parts):
    address = parse_address(text)
    assert (address.local_part, address.domain) == parts
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", INVALID)
def test_invalid(text):
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.row(16)
@pytest.mark.parametrize(
    "control", [*map(chr, range(32)), "\x7f", "\x80", "\x9f", "\u2028", "\u2029", "\ud800"]
)
@pytest.mark.parametrize("form", ["a{}b@example.org", '"a{}b"@example.org', '"a\\{}b"@example.org', "a@b{}c"])
def test_no_control_character_anywhere(control, form):
    """Row 16: an address with CR, LF, NUL or any other control character is no address."""
    with pytest.raises(AddressError):
        parse_address(form.format(control))


@pytest.mark.row(16)
@pytest.mark.parametrize(
    "text",
    [
        '"unbalanced@example.org',
        "a" * 65 + "@example.org",
        '"' + "a" * 65 + '"@example.org',
        "ä" * 33 + "@example.org",
        "a@" + ".".join(["b" * 63] * 4),
        "a" * 64 + "@" + ".".join(["b" * 63] * 4) + ".c",
        "a@" + "b" * 64 + ".org",
        "a@" + "ä" * 60 + ".org",
        "a@" + "ä." * 200 + "org",
        "a@[" + "1" * 10**6 + "]",
        "a@" + "9" * 10**6,
        '"' * 10**5,
        "@" * 10**5,
    ],
)
def test_too_long_or_unbalanced(text):
    """Row 16: unbalanced quotes, and parts that are longer than RFC 5321 4.5.3.1 lets them be."""
    with pytest.raises(AddressError):
        parse_address(text)


def test_longest():
    domain = ".".join(["b" * 63] * 2 + ["c" * 61])
    longest = "a" * 64 + "@" + domain
    assert len(longest) == 254
    assert str(parse_address(longest)) == longest
    with pytest.raises(AddressError, match="254"):
        parse_address(longest + "c")
    assert len(parse_domain(".".join(["b" * 63] * 4))) == 255
    with pytest.raises(AddressError, match="255"):
        parse_domain(".".join(["b" * 63] * 3 + ["c" * 61, "d"]) + "e")


def test_quotes_count_for_the_whole_but_not_for_the_local_part():
    assert parse_address('"' + "a b" * 21 + '"@example.org').local_part == "a b" * 21
    domain = ".".join(["b" * 63] * 2 + ["c" * 61])
    with pytest.raises(AddressError):
        parse_address('"' + " " * 64 + '"@' + domain)


def test_one_domain_however_it_is_written():
    assert (
        len({parse_address(f"a@{d}") for d in ("bücher.example", "BÜCHER.example", "xn--bcher-kva.Example")})
        == 1
    )
    assert parse_domain("faß.de") != parse_domain("fass.de")


def test_folded_forms_are_equal():
    folded = parse_address("Jürgen.Straße@Example.org").folded()
    assert folded == parse_address("JU\u0308RGEN.STRASSE@example.org").folded()
    plain = parse_address("jane@example.org")
    assert plain.folded() is plain


def test_tags():
    assert parse_address("jane+a+b@example.org").without_tag() == parse_address("jane@example.org")
    assert parse_address("+a@example.org").without_tag() == parse_address("+a@example.org")
    assert parse_address("jane-a@example.org").without_tag("-") == parse_address("jane@example.org")


def test_ascii_and_display():
    assert parse_address("a@bücher.example").is_ascii
    assert not parse_address("ä@b").is_ascii
    assert parse_address("a@xn--bcher-kva.example").display() == "a@bücher.example"
    assert display_domain("xn--a.example") == "xn--a.example"


def test_quoted():
    assert quoted("a.b") == "a.b"
    assert quoted("a b") == '"a b"'
    assert quoted("") == '""'
    assert quoted('a"\\') == '"a\\"\\\\"'


local_parts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=16)
domains = st.lists(
    st.from_regex("[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4
)


@given(local_parts, domains)
def test_what_is_written_is_read(local_part, labels):
    address = Address(local_part, ".".join(labels))
    assert parse_address(str(address)) == address
    assert parse_address(address.display()).local_part == local_part


@given(st.text(st.characters() | st.sampled_from('@."[]:\\<> \r\nä%'), max_size=80))
def test_any_text_is_an_address_or_an_address_error(text):
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert parse_address(str(address)) == address
    assert not any(ord(character) < 32 for character in str(address))
    assert address.domain.isascii()
    assert address.folded().folded() == address.folded()
    address.display()
