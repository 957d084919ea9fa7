"""What a running server can take over of a configuration that was read again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from mailsys.config.schema import Configuration

# The server is built on these: they stay as they are until it starts again.
FIXED = (
    "data",
    "listen",
    "process.user",
    "log.file",
    "store.kind",
    "store.maildir",
    "auth.hashing_threads",
    "journal",
)


@dataclass(frozen=True, slots=True)
class Renewal:
    """The configuration to go on with, and the settings that have changed but need a restart."""

    configuration: Configuration
    needs_restart: tuple[str, ...]


def renew(running: Configuration, read: Configuration) -> Renewal:
    """Everything of ``read`` that needs no restart; the rest stays as it is ``running``."""
    fixed = [*FIXED, "tls"] if _loses_its_certificate(running, read) else FIXED
    changed = tuple(name for name in fixed if _value(read, name) != _value(running, name))
    for name in changed:
        read = _with(read, name.split("."), _value(running, name))
    return Renewal(read, changed)


def _loses_its_certificate(running: Configuration, read: Configuration) -> bool:
    """Would open ports have to go on without the certificate that they promise?"""
    return not read.tls.certificate and any(listener.tls != "none" for listener in running.listen)


def _value(configuration: Configuration, name: str) -> Any:
    return attrgetter(name)(configuration)


def _with(table: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    return replace(table, **{name: _with(getattr(table, name), rest, value) if rest else value})
