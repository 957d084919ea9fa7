"""How an exception of somebody else's is told: one line, bounded, and never raising again."""

from __future__ import annotations

from mailsys.journal.printable import bounded, printable

CHARACTERS = 300


def describe(error: BaseException) -> str:
    """``ValueError: its text``; only the kind when the text cannot be had."""
    kind = type(error).__name__
    try:
        text = str(error)
    except BaseException:  # such as an int with thousands of digits in it, or __str__ itself
        text = ""
    return printable(bounded(f"{kind}: {text}" if text else kind, CHARACTERS)).replace("\n", " ")
