"""Room in mailboxes with a quota, held while a message is being committed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailsys.interfaces import Account, IQuota, MailboxAction
from mailsys.message.address import Address
from mailsys.receive.transaction import RoutedRecipient


class Room:
    """The holds of one message.  Whoever makes it calls ``release`` in the end, whatever has happened."""

    def __init__(self, quota: IQuota) -> None:
        self._quota = quota
        self._held: dict[Address, tuple[Account, int]] = {}
        self._used: dict[Address, int] = {}  # octets of the copy
        self.lacking: set[Address] = set()  # recipients with a mailbox that has no room

    async def hold(self, recipients: Iterable[RoutedRecipient], octets: int) -> None:
        """Hold room in every mailbox that has a quota; raises OSError.

        A recipient lacks room when none of its mailboxes has any: one full mailbox must not keep the
        others behind an alias, here or at another host, from their mail, so it takes this copy beyond its
        quota.
        """
        for recipient in recipients:
            if not recipient.accounts:  # it lives elsewhere, or has a delivery
                continue
            rooms = [await self._hold_in(account, octets) for account in recipient.accounts]
            if not any(rooms) and not recipient.forwarded:
                self.lacking.add(recipient.address)

    async def _hold_in(self, account: Account, octets: int) -> bool:
        if account.quota_bytes is None or account.address in self._held:
            return True
        if not await self._quota.hold(account, octets):
            return False
        self._held[account.address] = account, octets
        return True

    def use(self, actions: Sequence[MailboxAction], content_octets: int) -> None:
        """These copies were committed, each with its own header lines in front of the content."""
        self._used.update({action.account: len(action.head) + content_octets for action in actions})

    def release(self) -> None:
        """End the holds; those of committed copies as used."""
        for address, (account, octets) in self._held.items():
            self._quota.release(account, octets, used=self._used.get(address, 0))
        self._held.clear()
