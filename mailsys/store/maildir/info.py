"""Flags in file names: what stands behind the colon (``:2,FSa``).

Each flag is a letter: D draft, F flagged, R replied, S seen, T trashed, and a-z the keywords that
``dovecot-keywords`` of the folder names.  Other letters, as P (passed), are other programs' and stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailsys.interfaces import Flags

LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
KEYWORD_LETTERS = "abcdefghijklmnopqrstuvwxyz"
INFO = ":2,"

_OF_FLAG = {flag: letter for letter, flag in LETTERS.items()}


def flags_in(suffix: str, keywords: Mapping[str, str]) -> Flags:
    """The flags that a file's suffix tells; a letter that is not among ``keywords`` says nothing."""
    if not suffix.startswith(INFO):
        return frozenset()
    letters = suffix[len(INFO) :].partition(",")[0]
    known = [LETTERS.get(letter) or keywords.get(letter) for letter in letters]
    return frozenset([flag for flag in known if flag])


def suffix_with(suffix: str, flags: Flags, letter_of: Mapping[str, str]) -> str:
    """The suffix for other flags: letters in the order that Maildir asks for, and what is not ours as it was.

    ``letter_of`` has the letter of each keyword in small letters; raises KeyError for one that has none.
    """
    letters = sorted({_OF_FLAG.get(flag) or letter_of[flag.lower()] for flag in flags})
    rest = suffix[len(INFO) :] if suffix.startswith(INFO) else ""
    theirs, comma, more = rest.partition(",")
    known = set(letter_of.values())
    foreign = [letter for letter in theirs if letter not in LETTERS and letter not in known]
    return f"{INFO}{''.join([*letters, *foreign])}{comma}{more}"


def by_letter(keywords: Sequence[str]) -> dict[str, str]:
    """Letter → keyword; empty places have none."""
    named = zip(KEYWORD_LETTERS, keywords, strict=False)
    return {letter: keyword for letter, keyword in named if keyword}
