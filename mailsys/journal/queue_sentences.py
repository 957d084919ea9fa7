"""The sentences of what happens to a message that waits, or goes to another host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mailsys.journal.meaning import meaning_of
from mailsys.journal.phrases import paths, secrecy_of, text_of, texts_of

Facts = Mapping[str, Any]


def queued(facts: Facts, clock: Callable[[object], str]) -> str:
    """It waits for some recipients."""
    to, free = texts_of(facts, "to"), texts_of(facts, "free")
    forwarded = _forwarded_for(facts)
    until = f" until {clock(facts['until'])}, as its sender wants" if "until" in facts else ""
    if not (held := text_of(facts, "held")):
        return f"Waits in the queue for {paths(to)}{until}{forwarded}."
    is_held = paths([one for one in to if one not in free])
    others = f"  Waits in the queue for {paths(free)}{until}{forwarded}." if free else ""
    return f"Held in the queue for {is_held} until somebody releases it: {held}.{others}"


def sent(facts: Facts) -> str:
    """Another host took it, or it was for this one."""
    if "remote" not in facts:
        said = text_of(facts, "said")
        return (
            f"Leaves the queue for <{text_of(facts, 'recipient')}>, delivered{f'; {said}' if said else ''}."
        )
    how = f"{_remote(facts)}{_attempt(facts)}{_said(facts)}"
    if alias := text_of(facts, "forwarded_for"):
        sender = text_of(facts, "sent_as")
        return f"Forwarded to <{text_of(facts, 'recipient')}> for <{alias}>, as from <{sender}>,{how}."
    return f"Sent to <{text_of(facts, 'recipient')}>{how}."


def deferred(facts: Facts, clock: Callable[[object], str]) -> str:
    """A try failed for the moment."""
    tried = f"Attempt {text_of(facts, 'attempt')} for <{text_of(facts, 'recipient')}>{_remote(facts)}"
    following = f"; the next is at {clock(facts['next'])}" if "next" in facts else ""
    return f"{tried} failed for now: {reason(facts)}{_doubt(facts)}{following}.{_found(facts)}"


def failed(facts: Facts) -> str:
    """It will never arrive."""
    return (
        f"Will not reach <{text_of(facts, 'recipient')}>{_remote(facts)}{_attempt(facts)}: {reason(facts)}."
        f"{_found(facts)}"
    )


def held(facts: Facts) -> str:
    """It waits for a person."""
    why = text_of(facts, "reason")
    return f"Held for <{text_of(facts, 'recipient')}> until somebody releases it{f': {why}' if why else ''}."


def ordered(facts: Facts) -> str:
    """Who runs the host wanted something of the queue."""
    verb = text_of(facts, "event").removeprefix("queue ")
    return f"An operator asked the queue to {verb} it for <{text_of(facts, 'recipient')}>."


def told(facts: Facts) -> str:
    """Somebody hears of it."""
    return f"A notice about it goes to {paths(texts_of(facts, 'to'))}, as message {text_of(facts, 'notice')}."


def reason(facts: Facts) -> str:
    """Why not, and what that means."""
    words = text_of(facts, "reason")
    meaning = meaning_of(words, "")
    return f'"{words}" ({meaning})' if meaning else f'"{words}"'


def _forwarded_for(facts: Facts) -> str:
    """Whom the sender wrote to, where it was not they who wait."""
    forwarded = facts.get("forwarded")
    if not isinstance(forwarded, Mapping) or not forwarded:
        return ""
    aliases = dict.fromkeys(map(str, forwarded.values()))
    return f", forwarded for {paths(list(aliases))}"


def _remote(facts: Facts) -> str:
    remote, tls = text_of(facts, "remote"), text_of(facts, "tls")
    at = f" at {remote}" if remote else ""
    return f"{at}, {secrecy_of(tls)}" if tls else at


def _attempt(facts: Facts) -> str:
    attempt = facts.get("attempt")
    return f", at attempt {attempt}" if isinstance(attempt, int) and attempt > 1 else ""


def _found(facts: Facts) -> str:
    """What is wrong with us, by a look into DNS at once."""
    found = texts_of(facts, "found")
    return f"  Looked up then: {' '.join(found)}" if found else ""


def _doubt(facts: Facts) -> str:
    return "; the other host may have taken it all the same" if facts.get("uncertain") else ""


def _said(facts: Facts) -> str:
    said = text_of(facts, "said")
    return f'; it said "{said}"' if said else ""
