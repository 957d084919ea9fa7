"""Delivery into memory, in the steps that intake asks for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from zope.interface import implementer

from mailsys.interfaces import Account, Identity, IRepeatableDrop, MailboxAction
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.store.hierarchy import INBOX
from mailsys.store.memory.mail import Copy, Mail


@implementer(IRepeatableDrop)
class MemoryDrop:
    """Where copies are written and laid.

    ``life`` tells this store from all others, so that a name is never given twice; ``announce`` hears
    which folder of whom has a new message.  ``now`` gives seconds since 1970.
    """

    def __init__(
        self, mail: Mail, life: str, announce: Callable[[Address, str], None], now: Callable[[], float]
    ) -> None:
        self._mail = mail
        self._life = life
        self._announce = announce
        self._now = now
        self._numbers = itertools.count(1)

    def plan(
        self, account: Account, recipient: Address, head: bytes, content_size: int, *, crlf: bool = True
    ) -> MailboxAction:
        """Choose a name; all goes to the INBOX."""
        return MailboxAction(account.address, recipient, INBOX, self.next_name(), head)

    def next_name(self) -> str:
        """A name that no other copy has."""
        return f"{self._life}.{next(self._numbers)}"

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
        """The same name for the same identity; of what was laid before a restart nothing is left."""
        return MailboxAction(account.address, recipient, INBOX, f"again.{identity.digest}", head)

    def write(self, action: MailboxAction, content: Content) -> None:
        """Keep the whole copy where no reader sees it."""
        octets = b"".join([action.head, *content.pieces()])
        with self._mail.lock:
            self._mail.written[action.name] = octets

    def lay(self, action: MailboxAction) -> None:
        """Move the copy into its folder; FileNotFoundError when it is not written."""
        with self._mail.lock:
            octets, now = self._take(action), self._now()
            copy = Copy(action.name, octets, internal_date=now, save_date=now)
            self._mail.make_folder(action.account, action.folder).add(copy)

    def discard(self, action: MailboxAction) -> None:
        """Forget the written copy."""
        with self._mail.lock:
            self._mail.written.pop(action.name, None)

    def is_written(self, action: MailboxAction) -> bool:
        """Does the written copy wait to be laid?  There is none that is not whole."""
        with self._mail.lock:
            return action.name in self._mail.written

    def laid_octets(self, action: MailboxAction) -> int | None:
        """How large is the laid copy?"""
        with self._mail.lock:
            found = self._mail.find(action)
            return len(found[0].copies[found[1]].octets) if found else None

    def remove_short(self, action: MailboxAction, octets: int) -> None:
        """Remove the laid copy if it has fewer octets."""
        with self._mail.lock:
            found = self._mail.find(action)
            if found and len(found[0].copies[found[1]].octets) < octets:
                del found[0].copies[found[1]]

    def replace(self, action: MailboxAction) -> None:
        """Put the written copy in the place of the laid one, which keeps its UID."""
        with self._mail.lock:
            found = self._mail.find(action)
            if found is None:
                raise FileNotFoundError(f"{action.name} was deleted")
            folder, uid = found
            folder.copies[uid].octets = self._take(action)

    def settle(self, actions: Sequence[MailboxAction]) -> Sequence[MailboxAction]:
        """Nothing is safer than it is."""
        return ()

    def announce(self, action: MailboxAction) -> None:
        """Tell open mailboxes."""
        self._announce(action.account, action.folder)

    def _take(self, action: MailboxAction) -> bytes:
        try:
            return self._mail.written.pop(action.name)
        except KeyError:
            raise FileNotFoundError(f"{action.name} is not written") from None
