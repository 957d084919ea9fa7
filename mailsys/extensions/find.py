"""Finds the makers of plugins: modules in any folder ``mailsys/plugins`` of ``sys.path``.

The convention is that of ``twisted.plugin``, and its ``getPlugins`` finds the same.  We look ourselves,
since it logs a file that cannot be imported and goes on, and an operator should hear which and why.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from mailsys.extensions.words import describe
from mailsys.interfaces import IPluginMaker


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """A maker, and the file that says that it exists."""

    maker: IPluginMaker
    file: str


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file among the plugins that cannot be imported."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Everything in the folders."""

    plugins: tuple[FoundPlugin, ...]
    broken: tuple[BrokenFile, ...]


def find_plugins(package: ModuleType) -> Finding:
    """Import each module of the package, which has to be quick, and take the makers in it."""
    plugins: list[FoundPlugin] = []
    broken: list[BrokenFile] = []
    for name, file in sorted(_modules(package)):
        try:
            module = importlib.import_module(f"{package.__name__}.{name}")
        except (Exception, SystemExit) as error:
            broken.append(BrokenFile(file, describe(error)))
        else:
            plugins += [FoundPlugin(maker, file) for maker in _makers(module)]
    return Finding(tuple(plugins), tuple(broken))


def _modules(package: ModuleType) -> Iterator[tuple[str, str]]:
    """Name and file of each; of two with one name the first on the path counts, as for Python."""
    seen: set[str] = set()
    for found in pkgutil.iter_modules(package.__path__):
        if found.name not in seen:
            seen.add(found.name)
            folder = getattr(found.module_finder, "path", "")
            yield found.name, os.path.join(folder, found.name if found.ispkg else f"{found.name}.py")


def _makers(module: ModuleType) -> Iterator[IPluginMaker]:
    """The makers that a module holds by name; one with two names counts once."""
    there = {id(value): value for value in vars(module).values() if _is_maker(value)}
    return iter(there.values())


def _is_maker(value: object) -> bool:
    try:
        return bool(IPluginMaker.providedBy(value))
    except Exception:  # whatever strange objects a stranger's module holds
        return False
