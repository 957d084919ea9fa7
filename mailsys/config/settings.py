"""How settings are declared, in our own schema and by plugins: a frozen dataclass with ``setting`` fields.

A plugin that sends to a web service may want::

    @dataclass(frozen=True, slots=True)
    class Settings:
        url: str = setting(TEXT)                       # no default: it must stand in the file
        password: str = setting(SECRET, "")            # 'config show' does not show it
        largest: int = setting(SIZE, "1M")             # octets in the program
        patience: float = setting(WAIT, "10s")         # seconds in the program
        on_trouble: str = setting(one_of("accept", "defer"), "defer")

Defaults are written as in the file.  What several settings or the machine make wrong together,
``__post_init__`` tells by raising :class:`Wrong` with what is wrong and what would be right.
"""

from __future__ import annotations

from dataclasses import MISSING, field
from typing import Any, TypeVar

from mailsys.config.kinds import (
    ADDRESSES,
    DOMAIN,
    FLAG,
    NAMES,
    NETWORKS,
    PATH,
    PAUSE,
    PORT,
    SECRET,
    SIZE,
    TEXT,
    TEXTS,
    WAIT,
    Kind,
    Network,
    one_of,
    whole_number,
)
from mailsys.config.values import Wrong

T = TypeVar("T")

__all__ = [
    "ADDRESSES",
    "DOMAIN",
    "FLAG",
    "NAMES",
    "NETWORKS",
    "PATH",
    "PAUSE",
    "PORT",
    "SECRET",
    "SIZE",
    "TEXT",
    "TEXTS",
    "WAIT",
    "Kind",
    "Network",
    "Wrong",
    "one_of",
    "setting",
    "whole_number",
]


def setting(kind: Kind[T], default: Any = MISSING) -> T:
    """A setting; without a default it must stand in the file."""
    if default is MISSING:
        required: T = field(metadata={"kind": kind})
        return required
    return field(default_factory=lambda: kind.read(default), metadata={"kind": kind})


def section(table: type[T]) -> T:
    """A table of settings, such as ``[limits]``."""
    return field(default_factory=table, metadata={"section": table})


def sections(table: type[T]) -> tuple[T, ...]:
    """Any number of tables, such as ``[[listen]]``."""
    return field(default=(), metadata={"sections": table})
