"""Further subcommands of ``mailsys``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from zope.interface import Attribute, Interface

from mailsys.interfaces.mailboxes import IMailStore
from mailsys.interfaces.routing import Account


class CannotDo(Exception):  # noqa: N818 - it is a sentence for a person
    """It could not be done; the text is one plain sentence for a person."""


class ICommandedHost(Interface):
    """A host as a command sees it: its configuration and what it keeps, whether or not it runs."""

    hostname: str = Attribute("what the host calls itself")
    data: str = Attribute("the data folder")
    store: IMailStore = Attribute("the mailboxes; a store in memory is the running server's alone")

    def accounts() -> Sequence[Account]:
        """All accounts of ``mailsys account``, by domain and name; raises CannotDo."""


class IControlCommand(Interface):
    """A further subcommand; its maker's name is the word that calls it."""

    def add_arguments(parser: ArgumentParser) -> None:
        """Declare what may stand behind the command."""

    async def run(arguments: Namespace, host: ICommandedHost) -> int:
        """Do it, print what came of it, and return the exit status; raises CannotDo."""
