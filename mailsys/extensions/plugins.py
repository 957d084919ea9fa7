"""The plugins of one host that are in use: each made once, guarded, started and stopped with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailsys.config.plugins import PluginTable, uses_of_plugins
from mailsys.config.schema import Configuration
from mailsys.extensions.guard import Guard
from mailsys.extensions.installed import PLACES, InstalledPlugins
from mailsys.extensions.words import describe
from mailsys.interfaces import IReconfigurable, IStartable, PluginFailed, Services

log = Logger(namespace="mailsys.plugins")


class CannotUse(Exception):  # noqa: N818 - a sentence for the operator
    """A plugin cannot do its work; the text says which, why, and what to do."""


@dataclass(slots=True)
class MadePlugin:
    """A plugin in use, with the settings that are in force."""

    table: PluginTable
    plugin: Any
    guard: Guard
    is_started: bool = False


class Plugins:
    """What the configuration names and is not built in.  ``services`` gives each what it may use."""

    def __init__(
        self, installed: InstalledPlugins, services: Callable[[str], Services], clock: IReactorTime
    ) -> None:
        self._installed = installed
        self._services = services
        self._clock = clock
        self._made: dict[str, MadePlugin] = {}

    def use(self, configuration: Configuration) -> None:
        """Make what is named and not made yet; raises CannotUse, and then nothing has changed."""
        new = {}
        for use in uses_of_plugins(configuration, self._installed):
            if use.name not in self._made and use.name not in new:
                new[use.name] = self._make(use.name, configuration.plugins[use.name], use.setting)
        self._made |= new

    def _make(self, name: str, table: PluginTable, setting: str) -> MadePlugin:
        found = self._installed.plugin(table.plugin)
        guard = Guard(name, found.file, table.deadline, self._clock)
        try:
            plugin = found.maker.make(table.settings, self._services(name))
        except (Exception, SystemExit) as error:
            raise _cannot_use(guard, "cannot begin to work", error) from error
        if not any(interface.providedBy(plugin) for interface in PLACES[setting][0]):
            lacks = f"what it made does not provide {found.maker.makes.__name__}"
            raise _cannot_use(guard, "is broken", TypeError(lacks))
        return MadePlugin(table, plugin, guard)

    def __contains__(self, name: str) -> bool:
        return name in self._made

    def plugin(self, name: str) -> tuple[Any, Guard]:
        """What was made for this name, and what has to stand before it."""
        made = self._made[name]
        return made.plugin, made.guard

    async def start(self) -> None:
        """Let those begin that do something by themselves; raises CannotUse.  Call ``stop`` in any case."""
        for broken in self._installed.broken:
            log.warn(
                "{file} is no plugin that can be loaded: {reason}", file=broken.file, reason=broken.reason
            )
        for made in self._made.values():
            if made.is_started or not IStartable.providedBy(made.plugin):
                continue
            made.is_started = True
            try:
                await made.guard.ask("start", made.plugin.start)
            except PluginFailed as error:
                raise CannotUse(f"{_sentence(str(error))}; {_what_to_do(made.guard)}") from error

    async def stop(self) -> None:
        """End what was begun, the last first; one that cannot end does not keep the others."""
        for made in reversed(self._made.values()):
            if made.is_started:
                made.is_started = False
                try:
                    await made.guard.ask("stop", made.plugin.stop)
                except PluginFailed:
                    pass  # the guard has told the log

    # ------------------------------------------------------------------ other settings

    async def renew(self, configuration: Configuration) -> tuple[Configuration, tuple[str, ...]]:
        """Take over other settings; raises CannotUse, and then those that run go on as they were.

        Returns the configuration in force, and the names of the tables that need a restart.
        """
        self.use(configuration)
        await self.start()
        kept: dict[str, PluginTable] = {}
        for name, table in configuration.plugins.items():
            made = self._made.get(name)
            if made is not None and table != made.table and not self._reconfigure(made, table):
                kept[name] = made.table
        tables: Mapping[str, PluginTable] = {**configuration.plugins, **kept}
        return replace(configuration, plugins=tables), tuple(f"plugins.{name}" for name in kept)

    def _reconfigure(self, made: MadePlugin, table: PluginTable) -> bool:
        """Did the plugin take the settings?  The deadline is ours, and needs nobody's consent."""
        if table.plugin != made.table.plugin:
            return False
        if table.settings != made.table.settings:
            if not IReconfigurable.providedBy(made.plugin):
                return False
            try:
                made.guard.call("reconfigure", lambda: made.plugin.reconfigure(table.settings))
            except PluginFailed:
                return False
        made.guard = replace(made.guard, seconds=table.deadline)
        made.table = table
        return True


def _cannot_use(guard: Guard, what: str, error: BaseException) -> CannotUse:
    return CannotUse(f"The plugin {guard.name} {what} ({describe(error)}); {_what_to_do(guard)}")


def _what_to_do(guard: Guard) -> str:
    return f"mend [plugins.{guard.name}] or {guard.file}, or take its name out of the configuration."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
