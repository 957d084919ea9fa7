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
Send = Callable[[bytes], None]


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

    async def look(self, view: View, find: Find, may_tell: Callable[[], bool], send: Send) -> None:
        """Tell of messages that have changed, and that the client knows, while one may; raises OSError.

        What cannot be told is kept for the next time.  Numbers are those of the moment when it is sent.
        """
        if self._is_looking:
            return
        self._is_looking = True
        try:
            while may_tell() and (changed := sorted(uid for uid in self._changed if view.number(uid))):
                if not await self._look(view, find, changed, may_tell, send):
                    return
        finally:
            self._is_looking = False

    async def _look(
        self, view: View, find: Find, changed: Sequence[int], may_tell: Callable[[], bool], send: Send
    ) -> bool:
        """Look at these and tell of them; False when it took so long that nothing may be told."""
        self._changed.difference_update(changed)
        is_told = False
        try:
            results = [(one, await find(one.key, changed)) for one in list(self._contexts.values())]
            is_told = may_tell()
        finally:
            if not is_told:
                self.note(changed)
        if is_told:
            send(b"".join([self._tell(context, view, changed, found) for context, found in results]))
        return is_told

    def _tell(self, context: Context, view: View, changed: Sequence[int], found: Collection[int]) -> bytes:
        """What is other now in a result, unless it was cancelled meanwhile; gone ones have left it."""
        if self._contexts.get(context.tag) is not context:
            return b""
        now = {uid for uid in found if view.number(uid)}
        before = context.found.intersection(changed)
        context.found = (context.found - before) | now
        lines = _lines(context, view, REMOVE, sorted(before - now))
        return b"".join(lines + _lines(context, view, ADD, sorted(now - before)))

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
