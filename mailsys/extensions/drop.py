"""The drop and the quota of a store plugin: when they fail, intake does what it does for a failing disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zope.interface import alsoProvides, implementer

from mailsys.extensions.fit import wrong_address
from mailsys.extensions.guard import Guard
from mailsys.extensions.threads import GuardedThreads
from mailsys.interfaces import (
    Account,
    Identity,
    IMailDrop,
    IQuota,
    IRepeatableDrop,
    MailboxAction,
    PluginFailed,
)
from mailsys.message.address import Address
from mailsys.message.content import Content

NAME_CHARACTERS = 255


@implementer(IMailDrop)
class GuardedDrop:
    """Asks the plugin's drop; raises OSError and nothing else."""

    def __init__(self, drop: IMailDrop, guard: Guard) -> None:
        self._drop = drop
        self._guard = guard
        self._threads = GuardedThreads(guard)
        if IRepeatableDrop.providedBy(drop):
            alsoProvides(self, IRepeatableDrop)

    def plan(
        self, account: Account, recipient: Address, head: bytes, content_size: int, *, crlf: bool = True
    ) -> MailboxAction:
        """Choose folder and name for a copy."""
        return self._planned(
            "plan",
            account,
            recipient,
            lambda: self._drop.plan(account, recipient, head, content_size, crlf=crlf),
        )

    def plan_again(
        self,
        account: Account,
        recipient: Address,
        head: bytes,
        content_size: int,
        identity: Identity,
        *,
        crlf: bool = True,
    ) -> MailboxAction:
        """The same for a copy that may be there already, where the plugin's drop can do that."""
        drop = IRepeatableDrop(self._drop)
        return self._planned(
            "plan_again",
            account,
            recipient,
            lambda: drop.plan_again(account, recipient, head, content_size, identity, crlf=crlf),
        )

    def _planned(
        self, step: str, account: Account, recipient: Address, plan: Callable[[], MailboxAction]
    ) -> MailboxAction:
        def fits(action: Any) -> str:
            return _wrong_action(action, account, recipient)

        try:
            return self._guard.call(step, plan, fits)
        except PluginFailed as failed:
            raise OSError(str(failed)) from failed

    def write(self, action: MailboxAction, content: Content) -> None:
        """Write the whole copy."""
        self._threads.call("write", lambda: self._drop.write(action, content))

    def lay(self, action: MailboxAction) -> None:
        """Move the written copy into its folder."""
        self._threads.call("lay", lambda: self._drop.lay(action))

    def discard(self, action: MailboxAction) -> None:
        """Remove the written copy if it is there."""
        self._threads.call("discard", lambda: self._drop.discard(action))

    def is_written(self, action: MailboxAction) -> bool:
        """Does the written copy still wait?"""
        return self._threads.call("is_written", lambda: self._drop.is_written(action), _wrong_flag)

    def laid_octets(self, action: MailboxAction) -> int | None:
        """How large is the laid copy?"""
        return self._threads.call("laid_octets", lambda: self._drop.laid_octets(action), _wrong_octets)

    def remove_short(self, action: MailboxAction, octets: int) -> None:
        """Remove the laid copy if it has fewer octets."""
        self._threads.call("remove_short", lambda: self._drop.remove_short(action, octets))

    def replace(self, action: MailboxAction) -> None:
        """Put the written copy in the place of the laid one."""
        self._threads.call("replace", lambda: self._drop.replace(action))

    def settle(self, actions: Sequence[MailboxAction]) -> Sequence[MailboxAction]:
        """Sync laid copies; when the plugin fails, none counts as settled."""
        given = {action.name for action in actions}

        def fits(failed: Any) -> str:
            known = isinstance(failed, list | tuple) and all(action.name in given for action in failed)
            return "" if known else "something else than some of the actions"

        try:
            return self._threads.call("settle", lambda: self._drop.settle(actions), fits)
        except OSError:
            return actions

    def announce(self, action: MailboxAction) -> None:
        """Tell open mailboxes; the guard tells the log when that fails."""
        try:
            self._guard.call("announce", lambda: self._drop.announce(action))
        except PluginFailed:
            pass


@implementer(IQuota)
class GuardedQuota:
    """Asks the plugin's quota; raises OSError and nothing else."""

    def __init__(self, quota: IQuota, guard: Guard) -> None:
        self._quota = quota
        self._guard = guard

    async def has_room(self, account: Account, octets: int) -> bool:
        """Would a message of this size fit?"""
        return await self._ask("has_room", account, octets)

    async def hold(self, account: Account, octets: int) -> bool:
        """Set room aside."""
        return await self._ask("hold", account, octets)

    def release(self, account: Account, octets: int, *, used: int) -> None:
        """End a hold; the guard tells the log when that fails."""
        try:
            self._guard.call("release", lambda: self._quota.release(account, octets, used=used))
        except PluginFailed:
            pass

    async def _ask(self, step: str, account: Account, octets: int) -> bool:
        question = getattr(self._quota, step)
        try:
            answer: bool = await self._guard.ask(
                step, lambda: question(account, octets), _wrong_flag, (OSError,)
            )
        except PluginFailed as failed:
            raise OSError(str(failed)) from failed
        return answer


def _wrong_action(action: Any, account: Account, recipient: Address) -> str:
    """An action of this copy, with a name that the log can keep."""
    if not isinstance(action, MailboxAction):
        return f"an object of type {type(action).__name__} in the place of a MailboxAction"
    if fault := wrong_address(action.account) or wrong_address(action.recipient):
        return fault
    if (action.account, action.recipient) != (account.address, recipient):
        return "an action for somebody else"
    if not isinstance(action.folder, str) or not action.folder or not isinstance(action.head, bytes):
        return "an action without a folder or without its header lines"
    name = action.name
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        return f"an action without a name of 1 to {NAME_CHARACTERS} visible characters"
    return ""


def _wrong_flag(value: Any) -> str:
    return "" if type(value) is bool else f"an object of type {type(value).__name__} in the place of a bool"


def _wrong_octets(value: Any) -> str:
    return "" if value is None or type(value) is int else "something else than octets or None"
