"""Writes a configuration, with its defaults, as TOML that can be loaded again, or as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mailsys.config.plugins import EveryPlugin, PluginTable
from mailsys.config.schema import Configuration
from mailsys.config.tables import settings_of
from mailsys.config.values import HIDDEN

_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
_SECRET = re.compile("password|passphrase|secret|token|credential|(^|_)key$", re.IGNORECASE)


def render_toml(configuration: Configuration) -> str:
    """The whole file; secrets of plugins are hidden."""
    return toml(as_tables(configuration))


def render_json(configuration: Configuration) -> str:
    """The same as one JSON object."""
    return json.dumps(as_tables(configuration), indent=2, ensure_ascii=False, default=str) + "\n"


def toml(table: Mapping[str, Any]) -> str:
    """TOML text, with a table's name on a line of its own before its settings."""
    return "\n".join(_table_lines("", table)).lstrip("\n") + "\n"


def as_tables(table: Any) -> dict[str, Any]:
    """A dataclass of the schema as TOML's tables and values."""
    written: dict[str, Any] = {}
    for name, field in settings_of(type(table)).items():
        value = getattr(table, name)
        if "section" in field.metadata:
            written[name] = as_tables(value)
        elif "sections" in field.metadata:
            written[name] = [as_tables(one) for one in value]
        else:
            written[name] = field.metadata["kind"].write(value)
    if "plugins" in written:
        written["plugins"] = {name: _plugin(name, plugin) for name, plugin in table.plugins.items()}
    return written


def _plugin(name: str, table: PluginTable) -> dict[str, Any]:
    """A plugin's settings; secrets are hidden, also those that were not declared as such."""
    common = as_tables(EveryPlugin("" if table.plugin == name else table.plugin, table.deadline))
    if not common["plugin"]:
        del common["plugin"]
    return common | without_secrets(as_tables(table.settings))


def without_secrets(table: Mapping[str, Any]) -> dict[str, Any]:
    """Texts whose name sounds like a secret are not shown; the name of a file is none."""
    return {
        name: HIDDEN if value and isinstance(value, str) and _sounds_secret(name) else value
        for name, value in table.items()
    }


def _sounds_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and not name.endswith(("_file", "_path", "_folder"))


def _table_lines(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Its values first, since what follows a header belongs to that header's table."""
    tables = {key: value for key, value in table.items() if _is_table(value) or _is_tables(value)}
    values = {key: value for key, value in table.items() if key not in tables}
    for key, value in values.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        path = f"{name}.{_key(key)}" if name else _key(key)
        for one in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{path}]]" if isinstance(value, list) else f"[{path}]"
            yield from _table_lines(path, one)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_table, value))


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
    return str(value)  # numbers, dates and times are written as Python writes them


def _string(text: str) -> str:
    """JSON's escapes are TOML's, but for the DEL character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
