"""Searches whose results a session wants to hear of when they change: CONTEXT=SEARCH (RFC 5267 4).

What has changed of the folder is noted, and looked at once the client knows of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from mailsys.read.imap.view import View
from mailsys.wire.imap.responses import Response, no
from mailsys.wire.imap.search_keys import Key
from mailsys.wire.imap.search_responses import update_line

MOST_CONTEXTS = 16  # of one session

ADD, REMOVE = b"ADDTO", b"REMOVEFROM"
Find = Callable[[Key, Sequence[int]], Awaitable[Collection[int]]]


@dataclass(slots=True)
class Context:
    """One search; ``found`` are the UIDs of which the client knows that they are in its result."""

    tag: str
    key: Key
    by_uid: bool
    found: set[int] = field(default_factory=set)


class Contexts:
    """Those of the selected folder."""

    def __init__(self) -> None:
        self._contexts: dict[str, Context] = {}
        self._changed: set[int] = set()
        self._is_looking = False

    def begin(self, context: Context) -> bool:
        """Note from now on what changes; False when there are too many already."""
        self._contexts.pop(context.tag, None)
        if len(self._contexts) >= MOST_CONTEXTS:
            return False
        self._contexts[context.tag] = context
        return True

    def cancel(self, tags: Iterable[str]) -> None:
        """Tell no more of these; unknown ones are passed over."""
        for tag in tags:
            self._contexts.pop(tag, None)
        if not self._contexts:
            self._changed.clear()

    def note(self, uids: Iterable[int]) -> None:
        """Messages have come, or have other flags."""
        if self._contexts:
            self._changed.update(uids)

    def leaving(self, view: View) -> bytes:
        """What goes before the client hears that messages have gone, while their numbers are known."""
        lines: list[bytes] = []
        for context in self._contexts.values():
            gone = sorted(context.found.intersection(view.gone))
            context.found.difference_update(gone)
            lines += _lines(context, view, REMOVE, gone)
        self._changed.difference_update(view.gone)
        return b"".join(lines)

    async def look(self, view: View, find: Find) -> bytes:
        """What must be told of messages that have changed, and that the client knows; raises OSError."""
        if self._is_looking or not self._changed:
            return b""
        self._is_looking = True
        try:
            return await self._look(view, find)
        finally:
            self._is_looking = False

    async def _look(self, view: View, find: Find) -> bytes:
        lines: list[bytes] = []
        while changed := sorted(uid for uid in self._changed if view.number(uid) is not None):
            self._changed.difference_update(changed)
            for context in list(self._contexts.values()):
                now = set(await find(context.key, changed))
                before = context.found.intersection(changed)
                lines += _lines(context, view, REMOVE, sorted(before - now))
                lines += _lines(context, view, ADD, sorted(now - before))
                context.found = (context.found - before) | now
        return b"".join(lines)

    def give_up(self) -> list[Response]:
        """Say for each that nothing more will be told of it (RFC 5267 4.3)."""
        said = [no_update(tag) for tag in self._contexts]
        self.cancel(list(self._contexts))
        return said


def no_update(tag: str) -> Response:
    """There will be no news of this search."""
    quoted = tag.replace("\\", "\\\\").replace('"', '\\"')
    return no("Changes of this search are not told", f'NOUPDATE "{quoted}"')


def _lines(context: Context, view: View, word: bytes, uids: Sequence[int]) -> list[bytes]:
    """Results are in the folder's order, so places among them mean nothing (RFC 5267 4.3.1)."""
    numbers = uids if context.by_uid else [view.number(uid) or 0 for uid in uids]
    return [update_line(context.tag, context.by_uid, word, [(0, n) for n in numbers])] if numbers else []
