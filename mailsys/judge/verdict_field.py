"""X-Mailsys-Verdict: what became of a message and why, for the person who reads it."""

from __future__ import annotations

from mailsys.interfaces import Disposition, Report, Verdict
from mailsys.journal.printable import bounded, printable

_SENTENCE_CHARACTERS = 300
_WORDS = {Disposition.ACCEPT: "accept", Disposition.JUNK: "junk"}


def verdict_field(verdict: Verdict, decisive: str) -> bytes:
    """The field for what all judges said; ``decisive`` is the judge whose words tell why it is accepted.

    Empty for a message that is not taken, and where that judge had nothing to say.
    """
    word = _WORDS.get(verdict.disposition)
    said = next((report for report in verdict.reports if report.judge == decisive and report.reason), None)
    if word is None or said is None:
        return b""
    sentence = printable(bounded(_why(verdict, said), _SENTENCE_CHARACTERS))
    return f"X-Mailsys-Verdict: {word}; {sentence}\r\n".encode("ascii", "replace")


def _why(verdict: Verdict, said: Report) -> str:
    """Of junk the judge that took it for that, which need not be the decisive one."""
    return said.reason if said.disposition is verdict.disposition else verdict.reason
