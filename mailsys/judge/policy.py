"""What follows from all that was found out about a message: one table, from the top down.

The first row that applies decides.  Its sentence is what ``X-Mailsys-Verdict``, the story of the message and
``mailsys explain`` say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailsys.interfaces import Disposition, Finding, Findings
from mailsys.message.reply import Reply

_NONE = Finding("", "")
_SHOWN_SIGNATURES = 2


@dataclass(frozen=True, slots=True)
class Case:
    """The findings about a message.  ``is_forwarded``: it comes from a host that is trusted to forward."""

    findings: Findings
    is_forwarded: bool = False
    is_known: bool = False  # the sender has written to one of the recipients before
    is_known_from_list: bool = False  # the author has, over the same list
    is_ours: bool = False  # the author's domain is one of this host

    @property
    def dmarc(self) -> Finding:
        """The domain in From."""
        return self._first("dmarc")

    @property
    def spf(self) -> Finding:
        """The sender in MAIL."""
        return self._first("spf")

    def fails_dmarc(self, policy: str) -> bool:
        """Does it fail, and is this what its domain wants done then?"""
        return self.dmarc.result == "fail" and self.dmarc.detail.get("policy") == policy

    @property
    def is_signed(self) -> bool:
        """Has any domain signed it?"""
        return any(one.passes for one in self.findings.get("dkim", ()))

    @property
    def is_from_list(self) -> bool:
        """Does it say that a list sent it, and does some domain answer for that?"""
        return "list" in self.dmarc.detail and (self.is_signed or self.spf.passes)

    @property
    def takes_our_name(self) -> bool:
        """Is a domain of ours in From, and neither we nor a host that is trusted to forward vouch for it?

        Where the domain publishes nothing, DMARC does not say whether what passed is the author's.
        """
        if not self.is_ours or self.is_forwarded or self.dmarc.result in ("", "pass"):
            return False
        return self.dmarc.result == "fail" or not self._is_of_author

    @property
    def _is_of_author(self) -> bool:
        author = self.dmarc.domain
        passed = [*self.findings.get("dkim", ()), *self.findings.get("spf", ())[:1]]
        return any(
            one.domain == author or author.endswith(f".{one.domain}") or one.domain.endswith(f".{author}")
            for one in passed
            if one.passes
        )

    def _first(self, method: str) -> Finding:
        return next(iter(self.findings.get(method, ())), _NONE)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of the message, why in one plain sentence, and what its client is told."""

    disposition: Disposition
    reason: str
    reply: Reply | None = None
    stays_here: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """``sentence`` and the reply's text have places for the words of the case."""

    applies: Callable[[Case], bool]
    disposition: Disposition
    sentence: str
    reply: Reply | None = None
    stays_here: bool = False  # it is not forwarded


_ACCEPT, _JUNK = Disposition.ACCEPT, Disposition.JUNK
_DEFER, _REJECT = Disposition.DEFER, Disposition.REJECT

# RFC 7372 3.3 has 5.7.26 for a message that nothing vouches for.
_NOT_THEIRS = Reply(
    550,
    "5.7.26",
    "{author} wants mail in its name refused unless SPF or DKIM passes for it (DMARC): {why}",
)
_NOT_KNOWN = Reply(451, "4.7.0", "Whether {author} vouches for this cannot be told: {why}; try again later")

TABLE: Sequence[Row] = (
    Row(
        lambda case: case.dmarc.result == "fail" and case.is_forwarded,
        _ACCEPT,
        "{author} does not vouch for it (DMARC), but a host that is trusted to forward mail brought it",
    ),
    # RFC 9989 7.4: a list breaks what its members' domains promise, so p=reject alone must not refuse it.
    Row(
        lambda case: (
            case.fails_dmarc("reject")
            and case.is_from_list
            and case.is_known_from_list
            and not case.takes_our_name
        ),
        _ACCEPT,
        "{author} does not vouch for it (DMARC), but it has come to its recipient in the same way before",
    ),
    Row(
        lambda case: case.fails_dmarc("reject") and case.is_from_list,
        _JUNK,
        "{author} wants it refused (DMARC p=reject), but it seems to come over a mailing list",
    ),
    Row(
        lambda case: case.fails_dmarc("reject"),
        _REJECT,
        "{author} wants it refused (DMARC p=reject): {why}",
        _NOT_THEIRS,
    ),
    Row(
        lambda case: case.fails_dmarc("quarantine"),
        _JUNK,
        "{author} wants it taken for junk (DMARC p=quarantine): {why}",
    ),
    Row(
        lambda case: (
            case.dmarc.result == "temperror"
            and (case.dmarc.detail.get("policy") != "none" or case.takes_our_name)
        ),
        _DEFER,
        "whether {author} vouches for it (DMARC) cannot be told: {why}",
        _NOT_KNOWN,
    ),
    Row(
        lambda case: case.dmarc.result == "permerror",
        _JUNK,
        "who wrote it cannot be told: {why}",
    ),
    Row(
        lambda case: case.dmarc.result == "pass",
        _ACCEPT,
        "{author} vouches for it (DMARC): {why}",
    ),
    # Our users' own mail comes back from lists, which break signatures.  Forwarded it would be ours again.
    Row(
        lambda case: case.takes_our_name and case.is_from_list,
        _ACCEPT,
        "{author} is a domain of this host and does not vouch for it, but it seems to come over a list",
        stays_here=True,
    ),
    Row(
        lambda case: case.takes_our_name,
        _JUNK,
        "{author} is a domain of this host, and nothing shows that it comes from there: {why}",
    ),
    Row(
        lambda case: case.spf.result == "fail" and not (case.is_signed or case.is_forwarded or case.is_known),
        _JUNK,
        "{sender} says that this host may not send for it (SPF), and nobody has signed it",
    ),
    Row(
        lambda case: case.dmarc.result == "fail",
        _ACCEPT,
        "{author} does not vouch for it, and wants nothing done about that (DMARC p=none)",
    ),
    Row(lambda case: case.is_signed, _ACCEPT, "{signer} has signed it (DKIM)"),
    Row(lambda case: case.spf.passes, _ACCEPT, "{sender} says that this host may send for it (SPF)"),
    Row(lambda case: True, _ACCEPT, "nobody vouches for it, and nothing speaks against it"),
)


def decide(case: Case) -> Decision:
    """The first row that applies."""
    row = next(row for row in TABLE if row.applies(case))
    words = _words(case)
    reply = row.reply.with_text(row.reply.text.format(**words)) if row.reply else None
    return Decision(row.disposition, row.sentence.format(**words), reply, row.stays_here)


def _words(case: Case) -> dict[str, str]:
    signed = [one.domain for one in case.findings.get("dkim", ()) if one.passes]
    return {
        "author": case.dmarc.domain,
        "why": _failures(case) if case.dmarc.result == "fail" else case.dmarc.reason,
        "sender": case.spf.domain,
        "signer": " and ".join(dict.fromkeys(signed[:3])),
    }


def _failures(case: Case) -> str:
    """What the methods said that DMARC builds on, for those who have to mend it."""
    signatures = [one for one in case.findings.get("dkim", ()) if one.result != "none"]
    said = [f"SPF says {case.spf.result} for {case.spf.domain}"] if case.spf.result else []
    said += [f"DKIM says {one.result} for {one.domain or 'nobody'}" for one in signatures[:_SHOWN_SIGNATURES]]
    return " and ".join(said if signatures else [*said, "there is no signature"])
