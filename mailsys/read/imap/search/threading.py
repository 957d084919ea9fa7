"""THREAD: which messages answer which (RFC 5256 3).  Threads may be deep, so nothing recurses.

They are made in a thread of the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mailsys.interfaces import Column
from mailsys.message.structure.subjects import base_subject
from mailsys.read.imap.search.finder import Finder
from mailsys.read.imap.search.sorting import sent_dates, sort_in_chunks
from mailsys.wire.imap.search import Algorithm
from mailsys.wire.imap.search_responses import Node, thread_line

MOST_STEPS = 5_000_000  # of looking for loops; only made-up references need so many


# UID, date, subject, base subject, Message-ID, references
Row = tuple[int, float, str, str, str, str]


class TooTangled(Exception):  # noqa: N818 - an answer like others
    """References lead around more than anybody's do."""


class Message:
    """A message in its thread, or with no ``uid`` one that is missing."""

    __slots__ = ("children", "date", "is_reply", "parent", "subject", "uid")

    def __init__(self, uid: int | None = None) -> None:
        self.uid = uid
        self.date = 0.0
        self.subject = ""
        self.is_reply = False
        self.parent: Message | None = None
        self.children: dict[int, Message] = {}  # by their identity, in order

    def adopt(self, child: Message) -> None:
        """Take the child from its parent, if it has one."""
        child.leave()
        child.parent = self
        self.children[id(child)] = child

    def leave(self) -> None:
        """Have no parent."""
        if self.parent is not None:
            del self.parent.children[id(self)]
            self.parent = None

    @property
    def first(self) -> Message:
        """The message itself, or the first of those below one that is missing."""
        return self if self.uid is not None else next(iter(self.children.values()))

    @property
    def order(self) -> tuple[float, int]:
        """By what threads and siblings are sorted."""
        first = self.first
        return first.date, first.uid or 0


async def thread(
    finder: Finder, uids: Sequence[int], algorithm: Algorithm, numbers: Mapping[int, int]
) -> bytes:
    """The THREAD response for these UIDs; ``numbers`` are what they are told as.

    Raises TooTangled, OSError.
    """
    dates = await sent_dates(finder, uids)
    columns = [dates]
    for column in (Column.SUBJECT, Column.BASE_SUBJECT, Column.MESSAGE_ID, Column.REFERENCES):
        columns.append(await finder.column(column, uids))
    return await finder.workers.run(_render, algorithm, zip(uids, *columns, strict=True), numbers)


def _render(algorithm: Algorithm, rows: Iterable[Row], numbers: Mapping[int, int]) -> bytes:
    return thread_line(_nodes(_make(algorithm, rows), numbers))


def _make(algorithm: Algorithm, rows: Iterable[Row]) -> list[Message]:
    messages = [(_message(row), row) for row in rows if row[3] is not None]  # the rest has gone
    if algorithm is Algorithm.ORDERED_SUBJECT:
        return _by_subject([message for message, _row in messages])
    return _sorted_below(_gather_subjects(_pruned(_by_references(messages))))


def _message(row: Row) -> Message:
    uid, date, subject, base, _id, _references = row
    message = Message(uid)
    message.date, message.subject = date, base
    message.is_reply = subject != base and base_subject(subject)[1]
    return message


def _by_subject(messages: Sequence[Message]) -> list[Message]:
    """ORDEREDSUBJECT: of each subject the first message, with the others below it."""
    roots: dict[str, Message] = {}
    for message in _sorted(messages):
        root = roots.setdefault(message.subject, message)
        if root is not message:
            root.adopt(message)
    return list(roots.values())


def _sorted(messages: Iterable[Message]) -> list[Message]:
    return sort_in_chunks(list(messages), lambda one: one.order)


def _by_references(messages: Sequence[tuple[Message, Row]]) -> list[Message]:
    """Steps 1 and 2: everybody has a parent, or is a root."""
    links = _Links()
    for message, row in messages:
        links.add(message, row[4] or "")
    for message, row in messages:
        links.link(message, (row[5] or "").split())
    return [one for one in links.all if one.parent is None]


class _Links:
    """All messages that are there or named, and who is whose parent."""

    def __init__(self) -> None:
        self.all: list[Message] = []
        self._by_id: dict[str, Message] = {}
        self._steps = 0

    def add(self, message: Message, id_: str) -> None:
        """A second message of one id has none."""
        self.all.append(message)
        if id_:
            self._by_id.setdefault(id_, message)

    def link(self, message: Message, references: Sequence[str]) -> None:
        """Each reference is below the one before it, and the message below the last."""
        above: Message | None = None
        for id_ in references:
            named = self._named(id_)
            if above is not None and named.parent is None and not self._is_above(named, above):
                above.adopt(named)
            above = named
        if above is not None and not self._is_above(message, above):
            above.adopt(message)
        elif message.parent is not None and above is None:
            message.leave()  # it says itself that it answers nobody

    def _named(self, id_: str) -> Message:
        found = self._by_id.get(id_)
        if found is None:
            found = self._by_id[id_] = Message()
            self.all.append(found)
        return found

    def _is_above(self, message: Message, other: Message | None) -> bool:
        """Would there be a loop if ``other`` became the parent?"""
        if not message.children:
            return message is other
        while other is not None:
            if other is message:
                return True
            other = other.parent
            self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooTangled
        return False


def _pruned(roots: Iterable[Message]) -> list[Message]:
    """Steps 3 and 4: of those that are missing only roots with several children stay; sorted by date."""
    kept: list[Message] = []
    for root in list(roots):
        _prune_below(root)
        if root.uid is None and len(root.children) < 2:
            for child in list(root.children.values()):
                child.leave()
                kept.append(child)
        else:
            kept.append(root)
    for root in kept:
        if root.uid is None:
            _sort_children(root)
    return _sorted(kept)


def _prune_below(root: Message) -> None:
    """Take out those that are missing, from the leaves up: their children become those of their parents."""
    order, waiting = [], [root]
    while waiting:
        message = waiting.pop()
        order.append(message)
        waiting += message.children.values()
    for message in reversed(order):
        parent = message.parent
        if message.uid is None and parent is not None:
            for child in list(message.children.values()):
                parent.adopt(child)
            message.leave()


def _gather_subjects(roots: list[Message]) -> list[Message]:
    """Step 5: threads of one subject become one."""
    table: dict[str, Message] = {}
    for root in roots:
        known = table.get(root.first.subject)
        if known is None or (
            (root.uid is None and known.uid is not None)
            or (known.first.is_reply and not root.first.is_reply and known.uid is not None)
        ):
            table[root.first.subject] = root
    table.pop("", None)
    kept = dict.fromkeys(roots)
    for root in roots:
        subject = root.first.subject
        known = table.get(subject)
        if known is None or known is root:
            continue
        del kept[root]
        if known.uid is None or (root.first.is_reply and not known.first.is_reply):
            _join(known, root)
        else:
            del kept[known]
            both = table[subject] = Message()
            both.adopt(known)
            both.adopt(root)
            kept[both] = None
    return list(kept)


def _join(known: Message, root: Message) -> None:
    if root.uid is None:
        for child in list(root.children.values()):
            known.adopt(child)
    else:
        known.adopt(root)


def _sorted_below(threads: list[Message]) -> list[Message]:
    """Step 6: all siblings by date.  Those below come first: one that is missing has no date of its own."""
    order, waiting = [], list(threads)
    while waiting:
        message = waiting.pop()
        order.append(message)
        waiting += message.children.values()
    for message in reversed(order):
        if len(message.children) > 1:
            _sort_children(message)
    return _sorted(threads)


def _sort_children(message: Message) -> None:
    message.children = {id(child): child for child in _sorted(message.children.values())}


def _nodes(threads: Iterable[Message], numbers: Mapping[int, int]) -> list[Node]:
    found: list[Node] = []
    waiting = [(thread, found) for thread in threads]
    waiting.reverse()
    while waiting:
        message, siblings = waiting.pop()
        node = Node(None if message.uid is None else numbers[message.uid], [])
        siblings.append(node)
        waiting += [(child, node.children) for child in reversed(message.children.values())]
    return found
