"""Subcommands that plugins add: found by their names, made when they are called."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.internet.task import Clock
from zope.interface import implementer

from mailsys.config import Configuration
from mailsys.config.tables import TableReader
from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo
from mailsys.control.configuration import installed, read_configuration
from mailsys.control.offline import opened_accounts
from mailsys.disk import Disk
from mailsys.extensions.find import FoundPlugin
from mailsys.extensions.words import describe
from mailsys.interfaces import Account, ICommandedHost, IMailStore, Services
from mailsys.journal.nothing import NoJournal
from mailsys.store.changes import ChangeFeed
from mailsys.threads import NoThreads


def add_parsers(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of all plugins; what stands behind one is the plugin's to read."""
    for plugin in installed().commands():
        if plugin.maker.name not in subcommands.choices:
            # No character begins an option here, so that all of them reach the plugin.
            parser = subcommands.add_parser(
                plugin.maker.name, help=plugin.maker.summary, add_help=False, prefix_chars="\0"
            )
            parser.add_argument("words", nargs="*")
            parser.set_defaults(run=partial(run, plugin))


def run(plugin: FoundPlugin, arguments: argparse.Namespace) -> int:
    """Make the command with the settings of the configuration, let it read its words, and run it."""
    configuration = read_configuration(arguments)
    try:
        return _run(plugin, configuration, arguments.words)
    except CannotDo:
        raise
    except Exception as error:
        name, file = plugin.maker.name, plugin.file
        raise CannotDo(f"The command {name} failed ({describe(error)}); mend or remove {file}.") from error


def _run(plugin: FoundPlugin, configuration: Configuration, words: Sequence[str]) -> int:
    from mailsys.paths import Paths

    name = plugin.maker.name
    folder = Paths(configuration.data).plugin(name)
    services = Services(name, configuration.hostname, folder, Clock(), time.time, NoThreads(), NoJournal())
    command = plugin.maker.make(_settings(plugin, configuration), services)
    parser = argparse.ArgumentParser(prog=f"mailsys {name}", description=plugin.maker.summary)
    command.add_arguments(parser)
    return int(at_once(command.run(parser.parse_args(words), CommandedHost(configuration))))


def _settings(plugin: FoundPlugin, configuration: Configuration) -> Any:
    """Those of ``[plugins.NAME]``, or the defaults when there is no such table."""
    if table := configuration.plugins.get(plugin.maker.name):
        return table.settings
    reader = TableReader(configuration.base)
    settings = reader.read(plugin.maker.settings(), {}, f"plugins.{plugin.maker.name}.")
    if reader.mistakes:
        raise CannotDo("\n  ".join(map(str, reader.mistakes)))
    return settings


@implementer(ICommandedHost)
class CommandedHost:
    """A host, beside its running server or without one."""

    def __init__(self, configuration: Configuration) -> None:
        from mailsys.dry_stations import dry_plugins
        from mailsys.stores import build_store

        self.hostname = configuration.hostname
        self.data = configuration.data
        self._configuration = configuration
        plugins = dry_plugins(configuration)
        self.store: IMailStore = build_store(configuration, Disk(), NoThreads(), plugins, ChangeFeed())

    def accounts(self) -> Sequence[Account]:
        """All accounts; raises CannotDo."""
        with opened_accounts(self._configuration) as offline:
            return [listed.account for listed in offline.database.accounts.all()]
