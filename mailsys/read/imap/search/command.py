"""The answers to SEARCH, SORT and THREAD."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.read.imap.search.contexts import Context, no_update
from mailsys.read.imap.search.finder import Finder
from mailsys.read.imap.search.sorting import sort
from mailsys.read.imap.search.threading import TooTangled, thread
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.responses import Response, no
from mailsys.wire.imap.search import CancelUpdate, Return, Search, Sort, Thread, Told
from mailsys.wire.imap.search_keys import Changed, Key, mentions
from mailsys.wire.imap.search_responses import Found, esearch_line, search_line

TOO_TANGLED = no("The messages refer to one another in too many ways", "LIMIT")
FEW = 500  # numbers that are sought one by one
MANY = 20_000  # numbers that it takes some time to write
ALL = Return(frozenset({Told.ALL}))


async def search(session: IMAPSession, command: Search, tag: str) -> Response:
    """SEARCH and UID SEARCH."""
    return await _answer(session, tag, b"SEARCH", command)


async def sort_messages(session: IMAPSession, command: Sort, tag: str) -> Response:
    """SORT and UID SORT."""
    return await _answer(session, tag, b"SORT", command)


async def thread_messages(session: IMAPSession, command: Thread) -> Response:
    """THREAD and UID THREAD."""
    finder = make_finder(session)
    uids = await finder.find(command.key, finder.all())
    numbers = dict(zip(uids, _numbers(session, uids, command.by_uid), strict=True))
    try:
        line = await thread(finder, uids, command.algorithm, numbers)
    except TooTangled:
        raise CannotDo(TOO_TANGLED) from None
    session.dialogue.send(line)
    return responses.DONE


def make_finder(session: IMAPSession) -> Finder:
    """What looks into the selected folder at this moment."""
    selected = session.open
    return Finder(selected.folder, selected.view, session.workers, session.dialogue.give_way, session.now())


async def _answer(session: IMAPSession, tag: str, word: bytes, command: Search | Sort) -> Response:
    returns = command.returns
    if mentions(command.key, Changed):
        session.enabled.add("CONDSTORE")  # RFC 7162 3.1
    uids, told = await _find(session, command, tag)
    modseq = _modseq(session, command.key, told)
    numbers = _numbers(session, uids, command.by_uid)
    if len(numbers) > MANY:
        await session.dialogue.give_way()
    found = Found(numbers, modseq)
    if returns is None and session.rev2 and word == b"SEARCH":
        returns = ALL  # RFC 9051 6.4.4
    if returns is None:
        session.dialogue.send(search_line(word, found))
    else:
        session.dialogue.send_some(esearch_line(tag, command.by_uid, returns, found))
    return responses.DONE


async def _find(session: IMAPSession, command: Search | Sort, tag: str) -> tuple[list[int], Sequence[int]]:
    """What is found, and what of it was asked for, which is saved if that was, too (RFC 5182 2.1)."""
    view, returns = session.open.view, command.returns
    saves = returns is not None and Told.SAVE in returns.told
    finder = make_finder(session)
    context = _watch(session, command, tag)
    try:
        uids = await finder.find(command.key, finder.all())
        if isinstance(command, Sort):
            uids = await sort(finder, uids, command.criteria)
    except Exception:
        if saves:
            view.saved = ()
        session.open.contexts.cancel([tag])
        raise
    if context is not None:
        context.found.update(uids)
    told = _asked(returns, uids)
    if saves:
        view.saved = sorted(told)
    return uids, told


def _watch(session: IMAPSession, command: Search | Sort, tag: str) -> Context | None:
    """Note what changes from now on, if the client wants to hear of it (RFC 5267 4.3)."""
    if command.returns is None or Told.UPDATE not in command.returns.told:
        return None
    context = Context(tag, command.key, command.by_uid)
    if isinstance(command, Search) and session.open.contexts.begin(context):
        return context
    session.dialogue.tell(no_update(tag))
    return None


async def cancel_update(session: IMAPSession, command: CancelUpdate) -> Response:
    """CANCELUPDATE."""
    session.open.contexts.cancel(command.tags)
    return responses.DONE


def _asked(returns: Return | None, uids: Sequence[int]) -> Sequence[int]:
    """Of what was found only the ends, if only these were asked for (RFC 5182 2.1, RFC 7162 3.1.5)."""
    if returns is None or not uids or not returns.told & {Told.MIN, Told.MAX}:
        return uids
    if returns.told & {Told.ALL, Told.COUNT, Told.PARTIAL, Told.UPDATE, Told.CONTEXT}:
        return uids
    ends = {Told.MIN: min(uids), Told.MAX: max(uids)}
    return [uid for told, uid in ends.items() if told in returns.told]


def _modseq(session: IMAPSession, key: Key, uids: Sequence[int]) -> int | None:
    if not mentions(key, Changed):
        return None
    folder, highest = session.folder, 0
    for uid in uids:
        try:
            highest = max(highest, folder.modseq(uid))
        except KeyError:
            pass  # it has gone
    return highest or None


def _numbers(session: IMAPSession, uids: Sequence[int], by_uid: bool) -> Sequence[int]:
    """What each is told as; numbers stay as long as the command lasts (RFC 9051 7.5.1)."""
    if by_uid:
        return uids
    view = session.open.view
    if len(uids) < FEW:
        return [view.number(uid) or 0 for uid in uids]
    known = dict(zip(view.uids, range(1, len(view.uids) + 1), strict=True))
    return [known[uid] for uid in uids]
