"""Compares what a domain should have in DNS with what is there, record by record.

All is asked at the same time; who wants an end to it cancels.  Nothing of what DNS says is taken on trust:
it is shown as text that a terminal can bear.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, gatherResults

from mailsys.dkim.tags import NoTagList, parse_tags, without_space
from mailsys.interfaces import Answer, IZoneResolver, NamesUnavailable, NoSuchName
from mailsys.publish.wanted import Host, Key, Need, Record, pointer_record, wanted_records

T = TypeVar("T")
# What SPF says of mail from an address (as text) for a domain: the word of RFC 7208 2.6, and why.
SPFCheck = Callable[[str, str], Awaitable[tuple[str, str]]]

MOST_SHOWN = 300  # characters of one record


class State(Enum):
    """How DNS and what is wanted agree."""

    RIGHT = "ok"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # DNS has no answer for the moment


@dataclass(frozen=True, slots=True)
class Finding:
    """``found`` is what DNS says instead; ``words`` say what is wrong, and are empty when nothing is."""

    record: Record
    state: State
    words: str = ""
    found: tuple[str, ...] = ()

    @property
    def is_bad(self) -> bool:
        """Does mail suffer?"""
        return self.state is not State.RIGHT and self.record.need is Need.NEEDED


async def compare(
    domain: str, host: Host, keys: Sequence[Key], resolver: IZoneResolver, spf: SPFCheck
) -> list[Finding]:
    """A finding for each record, in the order of ``wanted_records``."""
    at_host = await _asked(resolver.addresses(host.hostname))
    known = host.addresses or (at_host.records if isinstance(at_host, Answer) else ())
    comparison = _Comparison(replace(host, addresses=tuple(known)), resolver, spf)
    records = wanted_records(domain, host, keys)
    if not host.addresses:
        records[1:1] = [_where_it_is(host), *(pointer_record(one, host.hostname) for one in known)]
    return list(await _all([comparison.look_at(record) for record in records]))


def _where_it_is(host: Host) -> Record:
    return Record(host.hostname, "A", "", Need.NEEDED, "where this host is; A for IPv4, AAAA for IPv6")


@dataclass(frozen=True, slots=True)
class _Comparison:
    host: Host
    resolver: IZoneResolver
    spf: SPFCheck

    async def look_at(self, record: Record) -> Finding:
        """Ask for one record; raises nothing but cancellation."""
        match record.kind:
            case "MX":
                return await self._mail_exchange(record)
            case "A" | "AAAA":
                return await self._address(record)
            case "PTR":
                return await self._pointer(record)
            case "SRV":
                return await self._service(record)
        return await self._text(record)

    async def _mail_exchange(self, record: Record) -> Finding:
        answer = await _asked(self.resolver.mail_exchanges(record.name))
        trouble = f"mail for {record.name} does not come to this host"
        if not isinstance(answer, Answer):
            return _without(record, answer, trouble)
        hosts = tuple(f"{one.preference} {one.host}." for one in answer.records)
        if any(one.host == self.host.hostname for one in answer.records):
            return Finding(record, State.RIGHT, found=hosts)
        return _instead(record, hosts, trouble)

    async def _address(self, record: Record) -> Finding:
        answer = await _asked(self.resolver.addresses(record.name))
        if not isinstance(answer, Answer):
            return _without(record, answer, "nobody finds this host")
        if record.value in answer.records or (not record.value and answer.records):
            return Finding(record, State.RIGHT, found=answer.records)
        return _instead(record, answer.records, "nobody finds this host at its address")

    async def _pointer(self, record: Record) -> Finding:
        address = _address_of(record.name)
        answer = await _asked(self.resolver.pointers(address))
        trouble = "large receivers refuse mail from an address that does not name its host"
        if not isinstance(answer, Answer):
            return _without(record, answer, trouble)
        if self.host.hostname in answer.records:
            return Finding(record, State.RIGHT, found=answer.records)
        return _instead(record, answer.records, trouble)

    async def _service(self, record: Record) -> Finding:
        answer = await _asked(self.resolver.services(record.name))
        port = int(record.value.split()[2])
        trouble = "mail programs do not find this by themselves"
        if not isinstance(answer, Answer):
            return _without(record, answer, trouble)
        found = tuple(f"{one.priority} {one.port} {one.host}." for one in answer.records)
        if any(one.host == self.host.hostname and one.port == port for one in answer.records):
            return Finding(record, State.RIGHT, found=found)
        return _instead(record, found, trouble)

    async def _text(self, record: Record) -> Finding:
        answer = await _asked(self.resolver.text(record.name))
        if record.value.startswith("v=spf1"):
            return await self._spf(record, answer)
        if record.value.startswith("v=DMARC1"):
            return _dmarc(record, answer)
        return _key(record, answer)

    async def _spf(self, record: Record, answer: Answer[bytes] | Exception) -> Finding:
        """Whatever its words are, mail from this host must pass."""
        trouble = "nobody can tell its mail from forged mail (SPF)"
        if not isinstance(answer, Answer):
            return _without(record, answer, trouble)
        found = [text for text in answer.records if text.lower().split(b" ", 1)[0] == b"v=spf1"]
        shown = tuple(map(_shown, found))
        if len(found) != 1:
            many = "there are several SPF records, so none of them counts: make one of them"
            return Finding(record, State.WRONG, many, shown) if found else _instead(record, shown, trouble)
        for address in () if self.host.is_relayed else self.host.addresses:
            word, why = await self.spf(address, record.name)
            if word != "pass":
                state = State.UNKNOWN if word == "temperror" else State.WRONG
                return Finding(record, state, f"mail from {address} has the result {word}: {why}", shown)
        return Finding(record, State.RIGHT, found=shown)


def _dmarc(record: Record, answer: Answer[bytes] | Exception) -> Finding:
    """Any policy will do: how strict it is, is for the domain to say."""
    trouble = "large receivers want one, and others cannot tell what to do with forged mail (DMARC)"
    if not isinstance(answer, Answer):
        return _without(record, answer, trouble)
    found = [text for text in answer.records if text.replace(b" ", b"").startswith(b"v=DMARC1")]
    shown = tuple(map(_shown, found))
    if len(found) > 1:
        return Finding(record, State.WRONG, "there are several DMARC records, so none of them counts", shown)
    return Finding(record, State.RIGHT, found=shown) if found else _instead(record, shown, trouble)


def _key(record: Record, answer: Answer[bytes] | Exception) -> Finding:
    """RFC 6376 3.6.1: the same key, however the rest is written."""
    trouble = {
        Need.NEEDED: "nobody can verify our signatures (DKIM)",
        Need.USEFUL: "the next key is not used before it is published (DKIM)",
        Need.OLD: "mail that is still on its way cannot be verified (DKIM)",
    }[record.need]
    if not isinstance(answer, Answer):
        return _without(record, answer, trouble)
    found = tuple(map(_shown, answer.records))
    if any(is_same_key(text, record.value) for text in answer.records):
        return Finding(record, State.RIGHT, found=found)
    return _instead(record, found, trouble)


def is_same_key(found: bytes, wanted: str) -> bool:
    """Has the key record that was found the key of ours?"""
    try:
        there, ours = parse_tags(found), parse_tags(wanted.encode())
    except NoTagList:
        return False
    return without_space(there.get("p", b"")) == ours["p"] and there.get("k", b"rsa") == ours.get("k", b"rsa")


# ---------------------------------------------------------------------- asking


async def _asked(question: Coroutine[Any, Any, Answer[T]]) -> Answer[T] | Exception:
    try:
        return await question
    except (NamesUnavailable, NoSuchName) as error:
        return error


async def _all(questions: Sequence[Coroutine[Any, Any, Finding]]) -> Sequence[Finding]:
    """All at once."""
    found = await gatherResults([Deferred.fromCoroutine(one) for one in questions], consumeErrors=True)
    return tuple(found)


def _without(record: Record, error: Exception, trouble: str) -> Finding:
    """Nothing is there, or nobody answers."""
    if isinstance(error, NamesUnavailable):
        return Finding(record, State.UNKNOWN, f"DNS has no answer for the moment: {error}")
    return Finding(record, State.MISSING, trouble)


def _instead(record: Record, found: tuple[str, ...], trouble: str) -> Finding:
    return Finding(record, State.WRONG if found else State.MISSING, trouble, found)


def _shown(text: bytes) -> str:
    """A stranger's text on one line, and not for ever."""
    shown = "".join(chr(octet) if 32 <= octet < 127 else "?" for octet in text[: MOST_SHOWN + 1])
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"


def _address_of(pointer: str) -> str:
    """The address that a name below in-addr.arpa or ip6.arpa is about."""
    labels = pointer.split(".")[:-2][::-1]
    if pointer.endswith(".in-addr.arpa"):
        return ".".join(labels)
    return ":".join("".join(labels[at : at + 4]) for at in range(0, 32, 4))
