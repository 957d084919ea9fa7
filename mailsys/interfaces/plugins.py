"""Plugins: what says that there is one, what it may use of the host, and how it fails.

A plugin is a maker in a module below ``mailsys/plugins``, on any folder of ``sys.path``.  It makes
something that provides one of these interfaces, and is then known by nothing else:

=====================  ==================================  ===================================
``IJudge``             is it wanted?                       named in ``judge.judges``
``IRouter``            where does a recipient live?        named in ``route.routers``
``IDelivery``          hands a message to something else   named in ``route.deliveries``
``IMailStore``         where mail is kept                  named in ``store.kind``
``IAccounts``          who has an account                  named in ``auth.sources``
``ICredentialsChecker``  is it their password? (Twisted's)   named in ``auth.sources``
``IHeaderWriter``      header lines in front of a message  named in ``receive.header_writers``
``IControlCommand``    a further subcommand of mailsys     called by its name
=====================  ==================================  ===================================
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.plugin import IPlugin
from zope.interface import Attribute, Interface, implementer
from zope.interface.interface import InterfaceClass

from mailsys.interfaces.machine import IWorkers
from mailsys.interfaces.story import IJournal

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime


class PluginFailed(Exception):  # noqa: N818 - what it hurts is told elsewhere
    """A plugin raised, took too long, or returned what nobody can use; the text names it and says which.

    It hurts only what it was asked about: a peer is told 451.
    """


@dataclass(frozen=True, slots=True)
class Services:
    """What a plugin may use of the host.

    ``name`` is how the configuration calls it.  ``folder`` is its own place below the data folder; a
    plugin that keeps anything makes it.  ``clock`` gives time and timers.  ``workers`` are threads that
    plugins share, for whatever waits for a disk or another program.
    """

    name: str
    hostname: str
    folder: str
    clock: IReactorTime
    now: Callable[[], float]  # seconds since 1970
    workers: IWorkers
    journal: IJournal


class IPluginMaker(IPlugin):
    """Says that a plugin exists, and makes it when the configuration names it."""

    name: str = Attribute("as in the configuration, and unique")
    makes: InterfaceClass = Attribute("the interface of what is made")
    summary: str = Attribute("what it does, in a few words, for 'mailsys plugins'")

    def settings() -> type[Any]:
        """The frozen dataclass of its settings (``mailsys.config.settings``).  May import much."""

    def make(settings: Any, services: Services) -> Any:
        """Build it, able to answer at once; raises what says that it cannot work.

        In the reactor's thread, so reading a file of some kilobytes is all that it may wait for.
        """


class IStartable(Interface):
    """A plugin that does something by itself while the host runs: timers, connections of its own."""

    async def start() -> None:
        """Begin.  What it raises keeps the host from starting."""

    async def stop() -> None:
        """End it, and leave nothing behind that still runs."""


class IReconfigurable(Interface):
    """A plugin that can take other settings while it works; without this they need a restart."""

    def reconfigure(settings: Any) -> None:
        """Go on with these; when it raises, the old ones must still be in force."""


@dataclass(frozen=True, slots=True)
class NoSettings:
    """For plugins that have none."""


@implementer(IPluginMaker)
@dataclass(frozen=True, slots=True)
class PluginMaker:
    """A maker that imports ``module`` only when its plugin is used.

    The module has ``make(settings, services)``, and ``Settings``, a frozen dataclass, if it has any.
    """

    makes: InterfaceClass
    name: str
    module: str
    summary: str = ""

    def settings(self) -> type[Any]:
        """The module's ``Settings``."""
        found: type[Any] = getattr(importlib.import_module(self.module), "Settings", NoSettings)
        return found

    def make(self, settings: Any, services: Services) -> Any:
        """What the module's ``make`` makes."""
        return importlib.import_module(self.module).make(settings, services)
