"""The plugins in use as the stations take them: each behind its guard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted.cred.checkers import ICredentialsChecker

from mailsys.config.schema import Configuration
from mailsys.extensions.checker import GuardedChecker
from mailsys.extensions.delivery import GuardedDelivery
from mailsys.extensions.headers import GuardedHeaderWriters
from mailsys.extensions.judge import GuardedJudge
from mailsys.extensions.plugins import Plugins
from mailsys.extensions.router import GuardedAccounts, GuardedRouter
from mailsys.interfaces import IAccounts, IDelivery, IHeaderWriter, IJudge, IRouter


@dataclass(frozen=True, slots=True)
class PluggedIn:
    """What one configuration names, in its order; ``judges`` and ``deliveries`` by their names."""

    judges: Mapping[str, IJudge]
    routers: Sequence[IRouter]
    deliveries: Mapping[str, IDelivery]
    accounts: Sequence[IAccounts]
    checkers: Sequence[ICredentialsChecker]
    header_writers: IHeaderWriter


def plugged_in(plugins: Plugins, configuration: Configuration) -> PluggedIn:
    """What the configuration names of the plugins, which are made."""
    sources = [plugins.plugin(name) for name in configuration.auth.sources]
    named = {*configuration.judge.judges, *configuration.submission.judges}
    judges = [name for name in named if name in plugins]
    writers = configuration.receive.header_writers
    route = configuration.route
    return PluggedIn(
        judges={name: GuardedJudge(*plugins.plugin(name)) for name in judges},
        routers=[GuardedRouter(*plugins.plugin(name)) for name in route.routers],
        deliveries={name: GuardedDelivery(*plugins.plugin(name)) for name in set(route.deliveries.values())},
        accounts=[GuardedAccounts(*source) for source in sources if IAccounts.providedBy(source[0])],
        checkers=[GuardedChecker(*source) for source in sources if ICredentialsChecker.providedBy(source[0])],
        header_writers=GuardedHeaderWriters([plugins.plugin(name) for name in writers]),
    )
