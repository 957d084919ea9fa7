"""Reads ``mailsys.toml``: the file, its syntax, its settings, and how they fit together."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from mailsys.config.check import check
from mailsys.config.mistake import ConfigurationError, Mistake
from mailsys.config.plugins import Installed, read_plugins
from mailsys.config.schema import Configuration
from mailsys.config.tables import TableReader
from mailsys.tls.files import CertificateFiles

FILE_OCTETS = 1024 * 1024


def load(
    path: str,
    installed: Installed,
    in_force: Collection[CertificateFiles] = (),
    *,
    is_servers: bool = True,
) -> Configuration:
    """The configuration in a file; raises ConfigurationError with every mistake that it has.

    ``installed`` tells what it may name beside what is built in.  ``in_force`` are certificates that a
    running server has read already, perhaps when it still could.  Who only has a question to the server,
    and so is not its user, need not be able to read its key: then it is no ``is_servers``.
    """
    path = os.path.abspath(path)
    reader = TableReader(os.path.dirname(path))
    configuration = replace(reader.read(Configuration, read_toml(path)), path=path)
    told = {mistake.key for mistake in reader.mistakes}
    checked = check(configuration, in_force) if is_servers else ()
    between = [mistake for mistake in checked if mistake.key not in told]
    tables = TableReader(reader.base)
    configuration = replace(configuration, plugins=read_plugins(configuration, installed, tables))
    if mistakes := [*reader.mistakes, *between, *tables.mistakes]:
        raise ConfigurationError(path, mistakes)
    return configuration


def read_toml(path: str) -> dict[str, Any]:
    """The tables of a file; raises ConfigurationError."""
    try:
        with open(path, "rb") as file:
            content = file.read(FILE_OCTETS + 1)
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise _unreadable(path, f"cannot be read ({reason})", "name a file that can be") from None
    if len(content) > FILE_OCTETS:
        raise _unreadable(path, "is longer than a megabyte", "name a configuration")
    return _parse(path, content)


def _parse(path: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"is not UTF-8 in line {line}", "save it as UTF-8") from None
    except RecursionError:
        raise _unreadable(path, "is nested too deeply", "write plain tables and lists") from None
    except ValueError as error:  # TOMLDecodeError, and numbers with thousands of digits
        right = 'write lines such as key = "value" below a [table]'
        raise _unreadable(path, f"is not valid TOML: {error}", right) from None


def _unreadable(path: str, wrong: str, right: str) -> ConfigurationError:
    return ConfigurationError(path, [Mistake(path, "", wrong, right)])
