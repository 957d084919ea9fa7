"""Builds what decides over senders and recipients of each service: judges, routers, quotas."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass

from twisted.logger import Logger

from mailsys.config.schema import Configuration
from mailsys.extensions.plugged_in import PluggedIn
from mailsys.interfaces import ICaughtAddresses, IDirectory, IQuota, IRouter, ISenders, ISendingLimits
from mailsys.judge.builtin import Surroundings, build_pipeline
from mailsys.message.srs import SenderRewriting
from mailsys.receive.recipients import Admission
from mailsys.route.deliveries import DeliveryRouter
from mailsys.route.in_order import RoutersInOrder
from mailsys.route.returned import ReturnRouter
from mailsys.route.router import Router
from mailsys.submit.senders import Senders

log = Logger(namespace="mailsys")


@dataclass(frozen=True, slots=True)
class Admissions:
    """What they are built from."""

    configuration: Configuration
    plugged: PluggedIn
    accounts: IDirectory
    quota: IQuota
    caught: ICaughtAddresses
    limits: ISendingLimits
    rewriting: SenderRewriting
    surroundings: Callable[[ISenders], Surroundings]  # of the judges

    def build(self, service: str) -> Admission:
        """That of one service: submission has judges of its own."""
        router = self._router()
        senders = Senders(router, self.caught)
        return Admission(
            self.configuration.limits.recipients,
            build_pipeline(self.surroundings(senders), service, self.plugged.judges),
            router,
            self.quota,
            self.plugged.deliveries.keys(),
            self.configuration.receive.trusted_networks,
            self.limits if service == "submission" else None,
            _trusted_users(self.configuration),
        )

    def _router(self) -> IRouter:
        separator, deliveries = self.configuration.receive.separator, self.configuration.route.deliveries
        routers = [*self.plugged.routers, Router(self.accounts, separator)]
        if deliveries:
            routers.insert(-1, DeliveryRouter(deliveries, separator))
        known = RoutersInOrder(routers) if len(routers) > 1 else routers[0]
        # Before all others: no plugin, alias or catch-all may take the notices about forwarded mail.
        return RoutersInOrder([ReturnRouter(self.accounts, self.rewriting, known), known])


def _trusted_users(configuration: Configuration) -> frozenset[int]:
    """Who may send to other hosts from a local socket; they were there when the configuration was checked."""
    ours = configuration.process.user
    found = {0, os.geteuid()}
    for name in (*configuration.receive.trusted_users, *([ours] if ours else [])):
        try:
            found.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            log.warn("The user {name} is not there, and not trusted", name=name)
    return frozenset(found)
