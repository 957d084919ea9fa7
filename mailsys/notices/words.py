"""The first part of a notice: what people read.  The top says in a sentence what happened and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mailsys.interfaces import QueuedMessage
from mailsys.message.trace_fields import date_time
from mailsys.notices.causes import Cause
from mailsys.notices.returned import Original
from mailsys.notices.told import Kind, Told

COLUMNS = 72
MOST_RECIPIENTS = 50  # by name; the part for machines has them all
_HOURS = 3600.0


def letter(
    what: str,
    told: Sequence[Told],
    original: Original,
    *,
    hostname: str,
    sender_domain: str,
    until: float,
    message: QueuedMessage,
) -> str:
    """Lines that end with LF, about ``what``, which is given up at ``until``."""
    kind = told[0].kind
    paragraphs = [
        _wrapped(_top(what, told, sender_domain, until, message.released)),
        _about(original, message),
    ]
    paragraphs += [_of_one(one, sender_domain, len(told) > 1) for one in told[:MOST_RECIPIENTS]]
    if len(told) > MOST_RECIPIENTS:
        paragraphs.append(
            f"And {len(told) - MOST_RECIPIENTS} more recipients, who are listed in the part for programs."
        )
    paragraphs.append(
        _wrapped(
            f"{_CLOSING[kind]}  This notice was written by the mail host {hostname}, where the message"
            f" is known as {message.id}."
        )
    )
    return "\n\n".join(paragraphs) + "\n"


_CLOSING = {
    Kind.FAILED: "It is not tried again.",
    Kind.DELAYED: "You need not send it again.",
    Kind.DELIVERED: "You asked to be told.",
}


def subject(told: Sequence[Told]) -> str:
    """It names the recipient."""
    more = len(told) - 1
    names = (told[0].forwarded_for or told[0].address).display() + (f" and {more} more" if more else "")
    match told[0].kind:
        case Kind.FAILED:
            return f"Not delivered to {names}"
        case Kind.DELAYED:
            return f"Still waiting for {names}"
        case _:
            return f"{'Handed on' if told[0].action == 'relayed' else 'Delivered'} to {names}"


def _top(what: str, told: Sequence[Told], sender_domain: str, until: float, released: float) -> str:
    kind, whom = told[0].kind, _whom(told)
    if kind is Kind.DELIVERED:
        if told[0].action == "relayed":
            return (
                f"{what} was handed on to the host of {whom}, which does not tell whether it arrives."
                "  There is nothing for you to do."
            )
        return f"{what} was delivered to {whom}.  There is nothing for you to do."
    if kind is Kind.DELAYED:
        return (
            f"{what} has not reached {whom} yet: {_why(told, sender_domain)}  There is nothing for"
            f" you to do: it is tried again by itself until {date_time(until)}, and you are told if it"
            " does not arrive by then."
        )
    tried = f" within {_span(told[0].at - released)}" if all(one.is_expired for one in told) else ""
    return f"{what} could not be delivered to {whom}{tried}: {_why(told, sender_domain, with_advice=True)}"


def _why(told: Sequence[Told], sender_domain: str, *, with_advice: bool = False) -> str:
    """The cause that all share, or that there are several."""
    if len({one.cause for one in told}) > 1:
        return "the reasons differ and stand below" + (", each with what you can do." if with_advice else ".")
    one = told[0]
    # Where it is of one address, and there are more of them.
    domains = {other.address.domain for other in told}
    cause = one.cause
    if "{domain}" in cause.what and len(domains) > 1:
        return "why is told below for each." + (
            f"  {_filled(cause.advice, one, sender_domain)}" if with_advice else ""
        )
    return _both(cause, one, sender_domain, with_advice=with_advice)


def _both(cause: Cause, one: Told, sender_domain: str, *, with_advice: bool) -> str:
    what = _filled(cause.what, one, sender_domain)
    return f"{what}  {_filled(cause.advice, one, sender_domain)}" if with_advice else what


def _filled(words: str, one: Told, sender_domain: str) -> str:
    """Not with ``format``: an address may hold braces."""
    for name, value in (
        ("{domain}", one.address.display().rpartition("@")[2]),
        ("{sender_domain}", sender_domain),
    ):
        words = words.replace(name, value)
    return words


def _about(original: Original, message: QueuedMessage) -> str:
    named = (
        f'The message has the subject "{original.subject}"'
        if original.subject
        else "The message has no subject"
    )
    later = f", to leave on {date_time(message.not_before)}" if message.not_before else ""
    return _wrapped(f"{named} and was handed in on {date_time(message.at)}{later}.")


def _of_one(one: Told, sender_domain: str, is_among_others: bool) -> str:
    lines = [_named(one)]
    if is_among_others and one.kind is not Kind.DELIVERED:
        with_advice = one.kind is Kind.FAILED
        lines.append(_wrapped(_both(one.cause, one, sender_domain, with_advice=with_advice), "    "))
    if one.said and one.remote:
        lines.append(_wrapped(f"{one.remote} said on {date_time(one.at)}:", "    "))
        lines.append(_wrapped(one.said, "        "))
    elif one.kind is not Kind.DELIVERED:
        lines.append(_wrapped(f"What happened last, on {date_time(one.at)}:", "    "))
        lines.append(_wrapped(one.reason, "        "))
    if one.findings:
        lines.append("    What this mail host found in the DNS then, for whoever runs it:")
        lines += [_wrapped(finding, "        ") for finding in one.findings]
    return "\n".join(lines)


def _whom(told: Sequence[Told]) -> str:
    if len(told) == 1:
        return _named(told[0])
    return f"{len(told)} recipients"


def _named(one: Told) -> str:
    """As the sender knows it."""
    if one.forwarded_for is None:
        return one.address.display()
    return f"{one.forwarded_for.display()}, which forwards to {one.address.display()}"


def _span(seconds: float) -> str:
    hours = seconds / _HOURS
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours >= 2:
        return f"{hours:.0f} hours"
    return f"{max(1, round(seconds / 60))} minutes"


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
