"""xtext and the addresses of RFC 6533, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.xtext import decode_utf8_address, decode_xtext, encode_utf8_address, encode_xtext


@given(st.text(st.characters(max_codepoint=127)))
def test_xtext_there_and_back(text):
    encoded = encode_xtext(text)
    assert decode_xtext(encoded) == text
    assert encoded.isascii()
    assert not set(encoded) & {" ", "=", "\r", "\n", "\0", "\x7f"}


@given(st.text())
def test_whatever_is_encoded_is_one_word_of_ascii(text):
    for encoded in (encode_xtext(text), encode_utf8_address(text)):
        assert encoded.isascii()
        assert not any(character <= " " or character in "=\x7f" for character in encoded)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_addresses_beyond_ascii_there_and_back(address):
    assert decode_utf8_address(encode_utf8_address(address)) == address


def test_an_address_as_it_stands_in_a_session_with_smtputf8():
    assert decode_utf8_address(r"zoë\x{2B}x@bücher.example") == "zoë+x@bücher.example"


@pytest.mark.parametrize("text", ["a b", "a=b", "a+", "a+2", "a+2g", "a+FF", "ä", "a\r", "a\0"])
def test_what_is_no_xtext(text):
    with pytest.raises(ValueError, match="it is not"):
        decode_xtext(text)


@pytest.mark.parametrize(
    "text", ["a b", "a=b", "a+2B", "a\\", r"\x{}", r"\x{4}", r"\x{D800}", r"\x{110000}", r"\x{FFFFFF}", "\r"]
)
def test_what_is_no_address_in_utf8(text):
    with pytest.raises(ValueError, match=r"."):
        decode_utf8_address(text)
