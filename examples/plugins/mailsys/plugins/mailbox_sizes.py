"""A further subcommand: ``mailsys mailbox-sizes`` lists how much mail everybody has."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from contextlib import closing

from zope.interface import implementer

from mailsys.interfaces import (
    Account,
    CannotDo,
    ICommandedHost,
    IControlCommand,
    NoSettings,
    PluginMaker,
    Services,
)

mailbox_sizes = PluginMaker(IControlCommand, "mailbox-sizes", __name__, "list how much mail everybody has")


@implementer(IControlCommand)
class MailboxSizes:
    """Opens every INBOX beside the running server, and changes nothing in it."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many, and how."""
        parser.add_argument("--largest", type=int, metavar="N", help="only the N largest")
        parser.add_argument("--json", action="store_true", help="as JSON")

    async def run(self, arguments: Namespace, host: ICommandedHost) -> int:
        """The largest first."""
        rows = [await measured(host, account) for account in host.accounts()]
        rows.sort(key=lambda row: (-row["octets"], row["account"]))
        rows = rows[: arguments.largest]
        if arguments.json:
            print(json.dumps(rows, indent=2))
        for row in rows if not arguments.json else ():
            print(f"{row['octets']:>12,}  {row['messages']:>7,}  {row['account']}")
        return 0


async def measured(host: ICommandedHost, account: Account) -> dict[str, object]:
    """One mailbox; raises CannotDo."""
    try:
        mailbox = await host.store.open(account, "INBOX", exclusive=False)
    except OSError as error:
        reason = error.strerror or error
        raise CannotDo(f"The mailbox of {account.address} cannot be read: {reason}.") from None
    with closing(mailbox):
        sizes = [message.size for message in mailbox.messages]
    return {"account": str(account.address), "messages": len(sizes), "octets": sum(sizes)}


def make(settings: NoSettings, services: Services) -> MailboxSizes:
    """The command."""
    return MailboxSizes()
