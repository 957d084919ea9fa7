"""``mailsys plugins``: which plugins are installed, from where, and where the configuration uses them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

from mailsys.control.command import CannotDo
from mailsys.control.configuration import installed, read_configuration
from mailsys.control.offline import print_json, print_table

if TYPE_CHECKING:
    from mailsys.extensions.find import FoundPlugin
    from mailsys.extensions.installed import InstalledPlugins


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``plugins``."""
    parser = subcommands.add_parser("plugins", help="list the plugins that are installed")
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """List them; files that cannot be loaded are told, and make the command fail."""
    plugins = installed()
    used = _used(arguments, plugins)
    sources = _distributions()
    rows = [_row(plugin, used, sources) for plugin in plugins.plugins]
    rows.sort(key=lambda row: (row["kind"], row["name"]))
    if arguments.json:
        print_json(rows)
    elif not rows:
        print("No plugins are installed.")
    else:
        headings = ("NAME", "KIND", "USED IN", "FROM", "WHAT IT DOES")
        columns = ("name", "kind", "used", "from", "summary")
        print_table(headings, [[_cell(row[column]) for column in columns] for row in rows])
    for broken in plugins.broken:
        print(
            f"mailsys: {broken.file} cannot be loaded ({broken.reason}); mend or remove it.", file=sys.stderr
        )
    for mistake in plugins.faults():
        print(f"mailsys: {mistake}", file=sys.stderr)
    return 1 if plugins.broken else 0


def _row(plugin: FoundPlugin, used: Mapping[str, list[str]], sources: Mapping[str, str]) -> dict[str, Any]:
    from mailsys.extensions.installed import COMMAND, kind_of

    maker, kind = plugin.maker, kind_of(plugin.maker.makes)
    return {
        "name": maker.name,
        "kind": kind or "nothing that mailsys knows",
        "used": [f"mailsys {maker.name}"] if kind == COMMAND else used.get(maker.name, []),
        "from": sources.get(os.path.realpath(plugin.file), plugin.file),
        "file": plugin.file,
        "summary": maker.summary,
    }


def _used(arguments: argparse.Namespace, plugins: InstalledPlugins) -> Mapping[str, list[str]]:
    """The settings that name each plugin; nothing without a configuration that can be read."""
    from mailsys.config.plugins import uses_of_plugins

    found: dict[str, list[str]] = {}
    try:
        configuration = read_configuration(arguments)
    except CannotDo as reason:
        print(f"mailsys: where they are used is not known: {reason}", file=sys.stderr)
        return found
    for use in uses_of_plugins(configuration, plugins):
        plugin = configuration.plugins[use.name].plugin
        where = use.setting if plugin == use.name else f"{use.setting} as {use.name}"
        found.setdefault(plugin, []).append(where)
    return {name: list(dict.fromkeys(places)) for name, places in found.items()}


def _distributions() -> Mapping[str, str]:
    """``name version`` by the real path of each plugin file that was installed with a distribution."""
    found = {}
    for distribution in distributions():
        for file in distribution.files or ():
            if file.parts[:2] == ("mailsys", "plugins"):
                path = os.path.realpath(str(distribution.locate_file(file)))
                found[path] = f"{distribution.metadata['Name']} {distribution.version}"
    return found


def _cell(value: Any) -> str:
    return (", ".join(value) or "-") if isinstance(value, list) else str(value)
