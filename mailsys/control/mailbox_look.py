"""Looks into mailboxes beside a running server.  Changes nothing: root may ask where another user serves."""

from __future__ import annotations

from mailsys.config import Configuration
from mailsys.disk import Disk
from mailsys.interfaces import Account
from mailsys.message.address import Address
from mailsys.store.maildir.layout import Layout
from mailsys.store.maildir.quota_look import QuotaLook
from mailsys.store.maildir.tree import MaildirTree
from mailsys.store.maildir.whereabouts import whereabouts as maildir_whereabouts


def whereabouts(configuration: Configuration, account: Address, file: str) -> str:
    """Where a copy is now, in words, if its store is of Maildirs; raises OSError."""
    if configuration.store.kind != "maildir":
        return ""
    return maildir_whereabouts(_tree(configuration), account, file)


def used_octets(configuration: Configuration, account: Account) -> int | None:
    """How much of its quota an account uses; None without one, or without Maildirs.  Raises OSError."""
    if configuration.store.kind != "maildir":
        return None
    return QuotaLook(_tree(configuration), Disk()).used(account)


def _tree(configuration: Configuration) -> MaildirTree:
    return MaildirTree(Layout(configuration.store.maildir, configuration.data), Disk())
