"""What SEARCH, SORT and THREAD found, as untagged responses (RFC 9051 7.3.4, RFC 3501 7.2.5, RFC 5256 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailsys.wire.imap.search import Return, Told
from mailsys.wire.imap.sequence import render_set


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers or UIDs in the order in which they are told; ``modseq`` is told when it is not None."""

    numbers: Sequence[int]
    modseq: int | None = None


def search_line(word: bytes, found: Found) -> bytes:
    """SEARCH or SORT, as clients without RETURN know it."""
    line = [f"* {word.decode()}", *map(str, found.numbers)]
    if found.modseq is not None:
        line.append(f"(MODSEQ {found.modseq})")
    return f"{' '.join(line)}\r\n".encode()


def esearch_line(tag: str, by_uid: bool, returns: Return, found: Found) -> bytes:
    """ESEARCH (RFC 4731 3.1); nothing when only SAVE was asked for (RFC 5182 2.1)."""
    told, numbers = returns.told, found.numbers
    if told <= {Told.SAVE}:
        return b""
    items: list[bytes] = []
    if numbers and Told.MIN in told:
        items.append(b"MIN %d" % min(numbers))
    if numbers and Told.MAX in told:
        items.append(b"MAX %d" % max(numbers))
    if numbers and Told.ALL in told:
        items.append(b"ALL " + render_set(numbers))
    if Told.COUNT in told:
        items.append(b"COUNT %d" % len(numbers))
    if returns.partial is not None:
        first, last = returns.partial
        items.append(b"PARTIAL (%d:%d %b)" % (first, last, render_set(numbers[first - 1 : last]) or b"NIL"))
    if found.modseq is not None and numbers:
        items.append(b"MODSEQ %d" % found.modseq)
    return _esearch(tag, by_uid, items)


def update_line(tag: str, by_uid: bool, word: bytes, places: Sequence[tuple[int, int]]) -> bytes:
    """ADDTO or REMOVEFROM (RFC 5267 4.3): each number with its place, 0 where places mean nothing."""
    parts = b" ".join([b"%d %d" % pair for pair in places])
    return _esearch(tag, by_uid, [b"%b (%b)" % (word, parts)])


def _esearch(tag: str, by_uid: bool, items: Iterable[bytes]) -> bytes:
    quoted = tag.replace("\\", "\\\\").replace('"', '\\"').encode()
    uid = b" UID" if by_uid else b""
    return b'* ESEARCH (TAG "%b")%b%b\r\n' % (quoted, uid, b"".join([b" " + item for item in items]))


@dataclass(slots=True)
class Node:
    """A message of a thread with what hangs below it; ``number`` is None where a message is missing."""

    number: int | None
    children: list[Node]


def thread_line(threads: Iterable[Node]) -> bytes:
    """THREAD (RFC 5256 4).  Threads may be deep, so nothing recurses."""
    parts: list[bytes] = []
    for thread in threads:
        _render(thread, parts)
    return b"* THREAD%b\r\n" % (b" " + b"".join(parts) if parts else b"")


def _render(thread: Node, parts: list[bytes]) -> None:
    # What is still to be written, from the last: nodes, each with whether a space goes before it, and marks.
    waiting: list[tuple[Node, bool] | bytes] = [b")", (thread, False), b"("]
    while waiting:
        step = waiting.pop()
        if isinstance(step, bytes):
            parts.append(step)
            continue
        node, spaced = step
        if node.number is not None:
            parts.append(b"%b%d" % (b" " if spaced else b"", node.number))
        follows = spaced or node.number is not None
        if len(node.children) == 1:
            waiting.append((node.children[0], follows))
        elif node.children:
            for child in reversed(node.children):
                waiting += (b")", (child, False), b"(")
            if follows:
                waiting.append(b" ")
