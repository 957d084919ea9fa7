"""What exactly is wrong with an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.control.address_fault import fault_of
from mailsys.message.address import AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ann@example.org", ""),
        ('"a b"@example.org', ""),
        ("", "it is empty"),
        ("ann", "there is no @"),
        ("@example.org", "there is nothing before the @"),
        ("ann@", "there is nothing behind the @"),
        ("ann @example.org", "character 4 is a space"),
        ("ann\x07@example.org", "character 4 is \\x07, which nobody can see"),
        ("a(b@example.org", 'character 2, (, may stand before the @ only in quotes, as in "a(b"@…'),
        ("a@b@example.org", 'character 2, @, may stand before the @ only in quotes, as in "a@b"@…'),
        ('"ann@example.org', "the quotes do not end before the @"),
        ('"ann"x@example.org', "character 6 stands behind the quotes and before the @"),
        ("x" * 65 + "@example.org", "there are 65 octets before the @, and 64 are allowed"),
        ("ann@example..org", "the domain has two dots in a row"),
        ("ann@example.org.", "the domain ends with a dot"),
        ("ann@.example.org", "the domain begins with a dot"),
        ("ann@exa!mple.org", 'the domain has the character ! in "exa!mple"'),
        ("ann@-example.org", 'the part "-example" of the domain must begin and end with a letter or digit'),
        ("ann@" + "x" * 64 + ".org", "a part of the domain has 64 characters, and 63 are allowed"),
        ("ann@" + "abcdefghi." * 25 + "longer", "the domain has 256 octets, and 255 are allowed"),
        ("x" * 60 + "@" + "abcdefghi." * 20 + "org", "it has 264 octets, and 254 are allowed"),
        (
            "ann@[192.0.2]",
            "[192.0.2] is no address literal; write it as in [192.0.2.1] or [IPv6:2001:db8::1]",
        ),
    ],
)
def test_it_is_told_where(text, fault):
    assert fault_of(text) == fault


def test_what_idna_forbids_is_told_in_its_words():
    assert fault_of("ann@a\u2028b.example").startswith("character 6 is")
    assert "IDNA" in fault_of("ann@\u00e4\u0301\u0301--\u2615.example") or fault_of("ann@x\u2615.example")


@given(st.text(alphabet=st.sampled_from('a@."(\\ [-_]ä\x1b\u202e'), max_size=12))
def test_there_is_a_fault_exactly_when_it_is_no_address(text):
    try:
        parse_address(text)
    except AddressError:
        assert fault_of(text).isprintable()
        assert fault_of(text)
    else:
        assert fault_of(text) == ""
