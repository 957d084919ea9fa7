import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.journal.printable import bounded, printable


def test_plain_text_stays():
    for text in ("Lunch at 12?", "Grüße aus Köln", "昼食の\u3000件", "été\u00a0!", r"a\b", ""):
        assert printable(text) == text


@pytest.mark.row(63)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\n250 forged", r"a\r\n250 forged"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("\u2066isolated\u2069", r"\u2066isolated\u2069"),
        ("bo\u200bb@example.org", r"bo\u200bb@example.org"),
        ("line\u2028end", r"line\u2028end"),
        ("\x85\x9b31m", r"\x85\x9b31m"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        ("\x00\x7f\ufeff", r"\x00\x7f\ufeff"),
    ],
)
def test_what_could_deceive_is_escaped(text, shown):
    """Row 63: a stranger's line ends, ESC and marks of direction are shown, not obeyed."""
    assert printable(text) == shown


@pytest.mark.row(63)
@given(st.text())
def test_any_text_becomes_one_harmless_line(text):
    """Row 63: whatever the text is, nothing that controls is left, and escaping twice changes nothing."""
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert printable(shown) == shown
    shown.encode()


def test_what_is_cut_shows_it():
    assert bounded("12345", 5) == "12345"
    assert bounded("123456", 5) == "1234…"
