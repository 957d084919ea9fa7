"""Each action to whom it concerns: copies for mailboxes to the store, the one that waits to the queue."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mailsys.interfaces import Action, IDrop, IMailDrop, IQueueDrop, MailboxAction, QueueAction
from mailsys.message.content import Content


@implementer(IDrop)
class Drops:
    """Mailboxes and queue as one.  Raises what they raise."""

    def __init__(self, mailboxes: IMailDrop, queue: IQueueDrop) -> None:
        self._mailboxes = mailboxes
        self._queue = queue

    def _for(self, action: Action) -> IDrop:
        return self._queue if isinstance(action, QueueAction) else self._mailboxes

    def write(self, action: Action, content: Content) -> None:
        """Write the whole copy where no reader sees it."""
        self._for(action).write(action, content)

    def lay(self, action: Action) -> None:
        """Move the written copy to where it belongs."""
        self._for(action).lay(action)

    def discard(self, action: Action) -> None:
        """Remove the written copy if it is there."""
        self._for(action).discard(action)

    def is_written(self, action: Action) -> bool:
        """Does the written copy, whole, still wait to be laid?"""
        return self._for(action).is_written(action)

    def laid_octets(self, action: Action) -> int | None:
        """How large is the laid copy?"""
        return self._for(action).laid_octets(action)

    def remove_short(self, action: Action, octets: int) -> None:
        """Remove the laid copy if it has fewer octets."""
        self._for(action).remove_short(action, octets)

    def replace(self, action: Action) -> None:
        """Move the written copy over the laid one."""
        self._for(action).replace(action)

    def settle(self, actions: Sequence[Action]) -> Sequence[Action]:
        """Sync laid copies; return those that could not be synced."""
        queued = [action for action in actions if isinstance(action, QueueAction)]
        copied = [action for action in actions if isinstance(action, MailboxAction)]
        failed = [*(self._mailboxes.settle(copied) if copied else ())]
        return [*failed, *(self._queue.settle(queued) if queued else ())]

    def announce(self, action: Action) -> None:
        """Tell those who wait for it."""
        self._for(action).announce(action)

    def confirms(self, action: Action) -> bool:
        """May a mark in the log be believed, within the same boot?

        A mailbox has what was renamed into it.  The queue writes its rows a moment later, all that wait in
        one go, so it looks whether it has them.
        """
        return not isinstance(action, QueueAction) or self._queue.is_kept(action)
