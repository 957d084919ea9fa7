"""Do all servers that have a zone show a key?  Only then may it sign: receivers ask any of them.

Each name server of the zone is asked by itself, at each of its addresses that can be reached.  Where no name
server can be found, as behind a private DNS, the usual resolver's word has to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailsys.interfaces import IResolver, IZoneResolver, NamesUnavailable, NoSuchName
from mailsys.publish.comparison import is_same_key
from mailsys.publish.wanted import Key

MOST_LABELS = 20  # on the way up to the zone
MOST_SERVERS = 13
MOST_ADDRESSES = 4  # of one server

ResolverAt = Callable[[str], IResolver]  # who asks one server, by its address


async def not_yet_everywhere(keys: Sequence[Key], resolver: IZoneResolver, at: ResolverAt) -> str:
    """Which of the keys is missing where, in words; nothing when all are there."""
    for key in keys:
        if reason := await _missing(key, resolver, at):
            return reason
    return ""


async def _missing(key: Key, resolver: IZoneResolver, at: ResolverAt) -> str:
    try:
        answer = await resolver.text(key.name)
    except NoSuchName:
        return f"{key.name} is not published"
    except NamesUnavailable as error:
        return str(error)
    if not any(is_same_key(text, key.text) for text in answer.records):
        return f"{key.name} has another key"
    try:
        servers = await _servers(answer.name or key.name, resolver)
        for server in servers:
            if reason := await _missing_at(server, key, resolver, at):
                return reason
    except NamesUnavailable as error:
        return str(error)
    return ""


async def _servers(name: str, resolver: IZoneResolver) -> Sequence[str]:
    """The hosts of the nearest zone above a name; raises NamesUnavailable."""
    labels = name.split(".")[-MOST_LABELS:]
    for start in range(len(labels)):
        try:
            answer = await resolver.name_servers(".".join(labels[start:]))
        except NoSuchName:
            continue
        if answer.records:
            return sorted(answer.records)[:MOST_SERVERS]
    return ()


async def _missing_at(server: str, key: Key, resolver: IZoneResolver, at: ResolverAt) -> str:
    """Some addresses of a server may be out of reach from here, but not all."""
    try:
        addresses = (await resolver.addresses(server)).records[:MOST_ADDRESSES]
    except NoSuchName:
        return f"the name server {server} has no address"
    has_shown = False
    for address in addresses:
        try:
            answer = await at(address).text(key.name)
        except NamesUnavailable:
            continue
        except NoSuchName:
            return f"{server} does not show {key.name} yet"
        if not any(is_same_key(text, key.text) for text in answer.records):
            return f"{server} does not show {key.name} yet"
        has_shown = True
    return "" if has_shown else f"the name server {server} does not answer"
