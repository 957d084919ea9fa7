"""What is installed, as the configuration and the operator ask for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from zope.interface.interface import InterfaceClass

from mailsys.config.mistake import Mistake
from mailsys.config.plugins import RESERVED
from mailsys.config.settings import Wrong
from mailsys.extensions.find import BrokenFile, Finding, FoundPlugin
from mailsys.extensions.words import describe
from mailsys.interfaces import (
    IAccounts,
    IControlCommand,
    IDelivery,
    IHeaderWriter,
    IJudge,
    IMailStore,
    IRouter,
)

# What may be named where: the interfaces, and what the operator calls them.
PLACES: Mapping[str, tuple[tuple[InterfaceClass, ...], str]] = {
    "judge.judges": ((IJudge,), "judge"),
    "submission.judges": ((IJudge,), "judge"),
    "route.routers": ((IRouter,), "router"),
    "route.deliveries": ((IDelivery,), "delivery"),
    "store.kind": ((IMailStore,), "store"),
    "auth.sources": ((IAccounts, ICredentialsChecker), "source of accounts"),
    "receive.header_writers": ((IHeaderWriter,), "header writer"),
}
COMMAND = "command"


def kind_of(interface: InterfaceClass) -> str:
    """What an operator calls a plugin that makes this."""
    if interface is IControlCommand:
        return COMMAND
    return next((word for interfaces, word in PLACES.values() if interface in interfaces), "")


def place_of(interface: InterfaceClass) -> str:
    """The setting that may name a plugin that makes this; empty for commands, and for nobody's interface."""
    return next((place for place, (interfaces, _) in PLACES.items() if interface in interfaces), "")


class InstalledPlugins:
    """The plugins that were found, beside ``builtin``: names of what is part of mailsys, by setting."""

    def __init__(self, finding: Finding, builtin: Mapping[str, Collection[str]]) -> None:
        self._builtin = builtin
        self.broken: Sequence[BrokenFile] = finding.broken
        self.plugins: Sequence[FoundPlugin] = finding.plugins
        self._by_name: dict[str, FoundPlugin] = {}
        for plugin in finding.plugins:
            self._by_name.setdefault(plugin.maker.name, plugin)

    def builtin(self, setting: str) -> Collection[str]:
        """What of mailsys itself may be named at this place."""
        return self._builtin.get(setting, ())

    def commands(self) -> Iterator[FoundPlugin]:
        """The plugins that are further subcommands."""
        return (plugin for plugin in self._by_name.values() if plugin.maker.makes is IControlCommand)

    def plugin(self, name: str) -> FoundPlugin:
        """The plugin of this name; raises Wrong when there is none."""
        if name not in self._by_name:
            raise Wrong("is no plugin that is installed", self._instead(name, sorted(self._by_name)))
        return self._by_name[name]

    def demand(self, plugin: str, setting: str) -> None:
        """Raise Wrong unless this plugin is there and makes what this place needs."""
        interfaces, kind = PLACES[setting]
        found = self._by_name.get(plugin)
        if found is None:
            fit = [name for name, one in self._by_name.items() if one.maker.makes in interfaces]
            known = sorted([*self.builtin(setting), *fit])
            raise Wrong(f"is no {kind} that is installed", self._instead(plugin, known))
        if found.maker.makes not in interfaces:
            right = f"name it in {place_of(found.maker.makes) or 'no setting: it is a command of its own'}"
            raise Wrong(
                f"is no {kind} but a {kind_of(found.maker.makes) or 'plugin for nothing here'}", right
            )

    def _instead(self, name: str, known: Sequence[str]) -> str:
        """What would be right in the place of an unknown name."""
        if close := get_close_matches(name, known, n=1):
            return f"did you mean {close[0]}?"
        right = f"known are: {', '.join(known)}" if known else "install the plugin, or take the name out"
        if self.broken:
            first = self.broken[0]
            right += f"; perhaps it is in {first.file}, which cannot be loaded ({first.reason})"
        return right

    def settings(self, plugin: str) -> type[Any]:
        """The dataclass of its settings; raises Wrong when the plugin is not there or broken."""
        found = self.plugin(plugin)
        try:
            settings = found.maker.settings()
        except (Exception, SystemExit) as error:
            right = f"mend what {found.file} needs, or take its name out of the configuration"
            raise Wrong(f"cannot be loaded ({describe(error)})", right) from error
        if fault := _fault(settings):
            raise Wrong(f"has settings that nobody can read: {fault}", f"mend {found.file}")
        return settings

    def faults(self) -> Iterator[Mistake]:
        """Plugins that cannot both be meant by their name, and one that nobody can name."""
        places = reversed(tuple(PLACES))  # of two places that may name it, the first is told
        seen = {name: f"the one of mailsys ({place})" for place in places for name in self.builtin(place)}
        for plugin in self.plugins:
            name, right = plugin.maker.name, "remove one of the two"
            if not isinstance(name, str) or not name.isprintable() or not name:
                yield Mistake(plugin.file, "", "has a plugin without a name", f"mend or remove {plugin.file}")
            elif plugin.maker.makes is IControlCommand and name in self.builtin(COMMAND):
                key = f"The plugin {name} of {plugin.file}"
                yield Mistake(key, "", f"has the name of 'mailsys {name}'", f"remove {plugin.file}")
            elif name in seen:
                key = f"The plugin {name} of {plugin.file}"
                yield Mistake(key, "", f"has the name of {seen[name]}", right)
            else:
                seen[name] = f"the one of {plugin.file}"


def _fault(settings: object) -> str:
    """Why a class is no declaration of settings; empty when it is one."""
    if not isinstance(settings, type) or not is_dataclass(settings):
        return f"{settings!r} is no dataclass"[:200]
    for field in fields(settings):
        if "kind" not in field.metadata:
            return f"{field.name} is not declared with setting()"
        if field.name in RESERVED:
            return f"{field.name} means the same for every plugin"
    return ""
