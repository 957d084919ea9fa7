"""The tables ``[plugins.NAME]``, read as the plugins declare them, and where the file names plugins.

What is installed tells :class:`Installed`, which whoever loads a configuration hands in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from mailsys.config.kinds import TEXT, WAIT
from mailsys.config.mistake import Mistake, shown
from mailsys.config.settings import setting
from mailsys.config.values import Wrong

if TYPE_CHECKING:
    from mailsys.config.schema import Configuration
    from mailsys.config.tables import TableReader


@dataclass(frozen=True, slots=True)
class PluginTable:
    """One ``[plugins.NAME]``: ``plugin`` is which one it is, ``settings`` its own dataclass.

    ``deadline`` is how many seconds one call of it may take.
    """

    plugin: str
    deadline: float
    settings: Any


@dataclass(frozen=True, slots=True)
class EveryPlugin:
    """The settings that each ``[plugins.NAME]`` may have; ``plugin`` is NAME when it is empty."""

    plugin: str = setting(TEXT, "")
    deadline: float = setting(WAIT, "30s")


RESERVED = ("plugin", "deadline")


@dataclass(frozen=True, slots=True)
class Use:
    """A place in the file that names what acts there: ``setting`` is its key, ``name`` what it says."""

    setting: str
    name: str
    key: str = ""  # of the mistake, when it is another

    def mistake(self, reason: Wrong) -> Mistake:
        """What is wrong with the name."""
        return Mistake(self.key or self.setting, shown(self.name), reason.wrong, reason.right)


class Installed(Protocol):
    """What is there to be named."""

    def builtin(self, setting: str) -> Collection[str]:
        """What of mailsys itself may be named at this place."""

    def demand(self, plugin: str, setting: str) -> None:
        """Raise Wrong unless this plugin is there and fit for this place."""

    def settings(self, plugin: str) -> type[Any]:
        """The dataclass of its settings; raises Wrong when it is not there or broken."""

    def faults(self) -> Iterator[Mistake]:
        """What is wrong with the plugins whatever the file says, such as two of one name."""


def uses(configuration: Configuration) -> Iterator[Use]:
    """Every place that may name a plugin, in the order of the file."""
    yield from (Use("auth.sources", name) for name in configuration.auth.sources)
    yield Use("store.kind", configuration.store.kind)
    yield from (Use("receive.header_writers", name) for name in configuration.receive.header_writers)
    yield from (Use("submission.judges", name) for name in configuration.submission.judges)
    yield from (Use("route.routers", name) for name in configuration.route.routers)
    for whom, name in configuration.route.deliveries.items():
        yield Use("route.deliveries", name, f'route.deliveries."{whom}"')
    yield from (Use("judge.judges", name) for name in configuration.judge.judges)


def uses_of_plugins(configuration: Configuration, installed: Installed) -> Iterator[Use]:
    """The places that name something which is not built in."""
    return (use for use in uses(configuration) if use.name not in installed.builtin(use.setting))


def read_plugins(
    configuration: Configuration, installed: Installed, reader: TableReader
) -> dict[str, PluginTable]:
    """The tables of all plugins that are named anywhere; ``reader`` learns the mistakes."""
    reader.mistakes += installed.faults()
    raw = cast(Mapping[str, Mapping[str, Any]], configuration.plugins)
    names = dict.fromkeys(raw)
    for use in uses_of_plugins(configuration, installed):
        plugin = raw.get(use.name, {}).get("plugin") or use.name
        try:
            installed.demand(str(plugin), use.setting)
        except Wrong as reason:
            reader.mistakes.append(use.mistake(reason))
            names.pop(use.name, None)  # one word about it is enough
        else:
            names.setdefault(use.name)
    tables = {name: _read(name, raw.get(name, {}), installed, reader) for name in names}
    return {name: table for name, table in tables.items() if table is not None}


def _read(
    name: str, table: Mapping[str, Any], installed: Installed, reader: TableReader
) -> PluginTable | None:
    key = f"plugins.{name}"
    common = reader.read(EveryPlugin, {k: v for k, v in table.items() if k in RESERVED}, f"{key}.")
    plugin = common.plugin or name
    try:
        into = installed.settings(plugin)
        own = {k: v for k, v in table.items() if k not in RESERVED}
        settings = reader.read(into, own, f"{key}.")
    except Wrong as reason:  # not there, broken, or its settings do not fit together
        reader.mistakes.append(Mistake(key, "", reason.wrong, reason.right))
        return None
    return PluginTable(plugin, common.deadline, settings)
