"""TOML's tables become the dataclasses of the schema; mistakes are collected on the way."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from mailsys.config.mistake import Mistake, shown
from mailsys.config.schema import Configuration
from mailsys.config.values import Wrong, leaves

T = TypeVar("T")


class TableReader:
    """Reads tables; ``mistakes`` grows meanwhile.

    A setting that is wrong gets its default, or ``""`` without one, so that the rest can be checked.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.mistakes: list[Mistake] = []

    def read(self, into: type[T], table: dict[str, Any], prefix: str = "") -> T:
        """Build ``into`` from a table whose keys are told as ``prefix`` + key.

        Raises Wrong when ``into`` itself refuses what stands there together.
        """
        settings = settings_of(into)
        for name in table:
            if name not in settings:
                self._mistake(prefix + name, table[name], "is not known", suggestion(prefix, name, settings))
        return into(**{name: self._read(field, table, prefix + name) for name, field in settings.items()})

    def _read(self, field: Field[Any], table: dict[str, Any], key: str) -> Any:
        if "section" in field.metadata:
            return self._section(field.metadata["section"], table.get(field.name, {}), key)
        if "sections" in field.metadata:
            return self._sections(field.metadata["sections"], table.get(field.name, []), key)
        if field.name in table:
            return self._setting(field, table[field.name], key)
        if field.default_factory is MISSING:
            self._mistake(key, None, "is missing", f'write {field.name} = "…"')
        return self._default(field)

    def _section(self, into: type[T], table: object, key: str) -> T:
        if not isinstance(table, dict):
            self._mistake(key, table, "is not a table", f"write [{key}], and its settings below")
            table = {}
        return self.read(into, table, f"{key}.")

    def _sections(self, into: type[T], tables: object, key: str) -> tuple[T, ...]:
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._mistake(key, tables, "is not a list of tables", f"write [[{key}]], in double brackets")
            return ()
        return tuple(self.read(into, table, f"{key}[{n}].") for n, table in enumerate(tables, 1))

    def _setting(self, field: Field[Any], value: object, key: str) -> Any:
        kind = field.metadata["kind"]
        try:
            return kind.place(self.base, kind.read(value))
        except* Wrong as reasons:
            for reason in leaves(reasons):
                self._mistake(key, None if kind.is_secret else value, reason.wrong, reason.right)
        return self._default(field)

    def _default(self, field: Field[Any]) -> Any:
        if field.default_factory is MISSING:
            return ""
        return field.metadata["kind"].place(self.base, field.default_factory())

    def _mistake(self, key: str, value: object, wrong: str, right: str) -> None:
        self.mistakes.append(Mistake(key, "" if value is None else shown(value), wrong, right))


def settings_of(table: type[Any]) -> dict[str, Field[Any]]:
    """What may stand in a table, by its name."""
    return {field.name: field for field in fields(table) if field.metadata}


def suggestion(prefix: str, name: str, known: dict[str, Field[Any]]) -> str:
    """What was perhaps meant by an unknown key."""
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]}?"
    for place in _tables_that_know(name):
        where = "at the top of the file, before the first [table]" if not place else f"below [{place}]"
        return f"it belongs {where}"
    return f"known {'here' if prefix else 'at the top'} are: {', '.join(known)}"


def _tables_that_know(name: str) -> list[str]:
    top = settings_of(Configuration)
    tables = {
        key: settings_of(field.metadata["section"])
        for key, field in top.items()
        if "section" in field.metadata
    }
    return [key for key, table in {"": top, **tables}.items() if name in table]
