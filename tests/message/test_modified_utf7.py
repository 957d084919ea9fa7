import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.modified_utf7 import decode_utf7, encode_utf7

PAIRS = [
    ("INBOX", "INBOX"),
    ("Tom & Ann", "Tom &- Ann"),
    ("Entwürfe", "Entw&APw-rfe"),
    ("&&", "&-&-"),
    ("Ü&Ü", "&ANw-&-&ANw-"),
    ("日本語", "&ZeVnLIqe-"),
    ("😀", "&2D3eAA-"),
    ("tab\there", "tab&AAk-here"),
]


@pytest.mark.parametrize(("text", "encoded"), PAIRS)
def test_both_ways(text, encoded):
    assert encode_utf7(text) == encoded
    assert decode_utf7(encoded) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text):
    encoded = encode_utf7(text)
    assert encoded.isascii()
    assert decode_utf7(encoded) == text


@pytest.mark.row(49)
@pytest.mark.parametrize(
    "name",
    [
        "&AAA",
        "&",
        "a&b",
        "&AGE-",
        "&AOQ",
        "&AO-",
        "&AOR-",
        "&2D0-",
        "&AOQ=-",
        "&ANw-&ANw-",
        "Entwürfe",
        "&AG/-",
    ],
)
def test_another_form_is_none(name):
    """Row 49: what is not closed, not whole, not needed, or half of a surrogate pair."""
    with pytest.raises(ValueError, match="modified UTF-7"):
        decode_utf7(name)
