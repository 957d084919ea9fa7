"""What became of one DKIM signature of a message, in the words of RFC 8601 2.7.1.

``await verify(content, resolver, now, workers)`` of ``mailsys.dkim.verify`` gives one of these for each
signature that it looked at, from the top down; none at all where the message has none (result ``none``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Result(Enum):
    """The value is the word in Authentication-Results."""

    PASS = "pass"  # noqa: S105 - a word of the RFC
    FAIL = "fail"  # the message or its signature was changed, or it never was the domain's
    POLICY = "policy"  # it is right, and not good enough for us
    NEUTRAL = "neutral"  # it cannot be read, or is a test
    TEMPERROR = "temperror"  # DNS has no answer for the moment
    PERMERROR = "permerror"  # it can be read, and can never be verified


@dataclass(frozen=True, slots=True)
class DKIMResult:
    """One signature.  What could not be read of it is empty.

    ``domain`` (d=) is in lower case and of A-labels; ``identity`` is i= or its default.  ``reason`` is for
    people, and empty for a plain pass.  ``signature`` is b= without white space: who sees it again sees the
    same signature again; its first 8 characters are the header.b of RFC 6008.  ``signed_at`` (t=) is in
    seconds since 1970.
    """

    result: Result
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    identity: str = ""
    reason: str = ""
    signature: str = ""
    signed_at: int | None = None
    is_testing: bool = False  # the domain says that it only tests (t=y of its key)
