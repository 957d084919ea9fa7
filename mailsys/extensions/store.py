"""A store of a plugin: readers and intake meet it behind a guard, and see OSError where it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from zope.interface import implementer

from mailsys.extensions.drop import GuardedDrop, GuardedQuota
from mailsys.extensions.fit import wrong_text
from mailsys.extensions.guard import Fits, Guard
from mailsys.interfaces import (
    Account,
    IMailbox,
    IMailStore,
    MailboxInUse,
    NotRemoved,
    PluginFailed,
    StoredMessage,
)
from mailsys.message.content import Content, release

T = TypeVar("T")

UID_LIMIT = 2**32


@implementer(IMailStore)
class GuardedStore:
    """The plugin's store, all of it."""

    def __init__(self, store: IMailStore, guard: Guard) -> None:
        self._store = store
        self._guard = guard
        self.drop = GuardedDrop(store.drop, guard)
        self.quota = GuardedQuota(store.quota, guard)

    async def open(self, account: Account, folder: str, *, exclusive: bool) -> IMailbox:
        """Open for reading; raises MailboxInUse, OSError."""
        mailbox = await _asked(
            self._guard,
            "open",
            lambda: self._store.open(account, folder, exclusive=exclusive),
            _wrong_mailbox,
            (MailboxInUse, OSError),
        )
        return GuardedMailbox(mailbox, self._guard)


@implementer(IMailbox)
class GuardedMailbox:
    """An open folder of the plugin's."""

    def __init__(self, mailbox: IMailbox, guard: Guard) -> None:
        self._mailbox = mailbox
        self._guard = guard
        self.uid_validity: int = mailbox.uid_validity
        self.messages: Sequence[StoredMessage] = mailbox.messages

    def name(self, uid: int) -> str:
        """What the copy is called; empty when the plugin cannot tell."""
        try:
            return self._guard.call("name", lambda: self._mailbox.name(uid), wrong_text)
        except PluginFailed:
            return ""

    async def content(self, uid: int) -> Content:
        """The message; raises KeyError, OSError."""
        found = await _asked(
            self._guard, "content", lambda: self._mailbox.content(uid), _wrong_content, (KeyError, OSError)
        )
        return GuardedContent(found, self._guard)

    def read_cached(self, uid: int) -> bytes | None:
        """Return a small message that needs no wait."""
        try:
            return self._guard.call("read_cached", lambda: self._mailbox.read_cached(uid), _wrong_octets)
        except PluginFailed:
            return None

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Return whole messages, or what went wrong with each."""

        def fits(results: Any) -> str:
            if not isinstance(results, list | tuple) or len(results) != len(uids):
                return "not one result for each message"
            odd = [one for one in results if not isinstance(one, bytes | KeyError | OSError | None)]
            return "a result that is no octets, error or None" if odd else ""

        return await _asked(self._guard, "read_many", lambda: self._mailbox.read_many(uids), fits, (OSError,))

    async def expunge(self, uids: Sequence[int]) -> int:
        """Delete; raises NotRemoved."""
        try:
            return await _asked(
                self._guard, "expunge", lambda: self._mailbox.expunge(uids), _wrong_count, (NotRemoved,)
            )
        except OSError as error:
            raise NotRemoved(0, str(error)) from error

    def close(self) -> None:
        """Give up the hold; the guard tells the log when that fails."""
        try:
            self._guard.call("close", self._mailbox.close)
        except PluginFailed:
            pass


class GuardedContent:
    """A message of the plugin's, read in worker threads."""

    def __init__(self, content: Content, guard: Guard) -> None:
        self._content = content
        self._guard = guard
        self.size: int = content.size

    def read(self, offset: int, octets: int) -> bytes:
        """Return a range; raises OSError."""
        return self._raising_os_errors(lambda: self._content.read(offset, octets))

    def pieces(self) -> Iterator[bytes]:
        """Return all of it; raises OSError."""
        pieces = iter(self._raising_os_errors(self._content.pieces))
        while (piece := self._raising_os_errors(lambda: next(pieces, None))) is not None:
            yield piece

    def release(self) -> None:
        """Pass it on; the guard tells the log when that fails."""
        try:
            self._guard.call("release", lambda: release(self._content))
        except PluginFailed:
            pass

    def _raising_os_errors(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except OSError:
            raise
        except BaseException as error:
            raise OSError(str(self._guard.failed("reading a message", error))) from error


async def _asked(
    guard: Guard,
    step: str,
    question: Callable[[], Awaitable[T]],
    fits: Fits,
    declared: tuple[type[Exception], ...],
) -> T:
    try:
        return await guard.ask(step, question, fits, declared)
    except PluginFailed as failed:
        raise OSError(str(failed)) from failed


def _wrong_mailbox(mailbox: Any) -> str:
    if not IMailbox.providedBy(mailbox):
        return "something that does not provide IMailbox"
    if type(mailbox.uid_validity) is not int or not 0 < mailbox.uid_validity < UID_LIMIT:
        return "a mailbox without a possible UIDVALIDITY"
    messages = mailbox.messages
    if not isinstance(messages, list | tuple):
        return "a mailbox without a sequence of messages"
    ends = [*messages[:1], *messages[-1:]]  # to look at all would take long in a large folder
    return "" if all(isinstance(one, StoredMessage) for one in ends) else "a message that is no StoredMessage"


def _wrong_content(content: Any) -> str:
    return "" if type(getattr(content, "size", None)) is int else "a content without a size"


def _wrong_octets(value: Any) -> str:
    return "" if isinstance(value, bytes | None) else "something else than octets or None"


def _wrong_count(value: Any) -> str:
    return "" if type(value) is int else "something else than a count"
