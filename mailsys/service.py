"""The host as a Twisted service: opens its ports, replays its log, serves, and stops in order."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.ssl import CertificateOptions
from twisted.logger import Logger

from mailsys.accounts.database import AccountsError
from mailsys.config import not_built_yet
from mailsys.config.schema import Configuration, Listener
from mailsys.message import reply as replies
from mailsys.net.factory import ConversationFactory
from mailsys.net.limits import ConnectionLimits
from mailsys.net.tls import CertificateError, load_certificate
from mailsys.process import (
    CannotBecome,
    become,
    check_user,
    claim,
    make_data_folder,
    raise_file_limit,
)
from mailsys.stations import Stations

SERVED = ("smtp", "lmtp", "pop3")
BUSY = {
    "smtp": replies.BUSY.render(),
    "lmtp": replies.BUSY.render(),
    "pop3": b"-ERR [SYS/TEMP] Too many connections\r\n",
}

log = Logger(namespace="mailsys")


class CannotStart(Exception):  # noqa: N818 - a sentence for the operator
    """The host cannot start; the text says why."""


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A listener that is bound."""

    listener: Listener
    port: Any  # IListeningPort; TCP's also has stopReading and startReading
    factory: ConversationFactory


class MailHost(Service):
    """One host.  ``failure`` tells afterwards why it did not start, empty when it did."""

    name = "mailsys"

    def __init__(self, configuration: Configuration, reactor: Any) -> None:
        self._configuration = configuration
        self._reactor = reactor
        self._stations: Stations | None = None
        self._claim: int | None = None
        self._ports: list[OpenPort] = []
        self.failure = ""

    # ------------------------------------------------------------------ start

    def privilegedStartService(self) -> None:
        """Bind the ports while we may; nobody is served before the log was replayed."""
        self._begin(self._bind())

    def startService(self) -> None:
        """Become who we are to be, replay, and serve."""
        super().startService()  # type: ignore[no-untyped-call]
        if not self._ports and not self.failure:  # twist, unlike twistd, begins here
            self._begin(self._bind())
        if not self.failure:
            self._begin(self._serve())

    def _begin(self, steps: Any) -> None:
        Deferred.fromCoroutine(steps).addErrback(self._give_up)

    def _give_up(self, failure: Any) -> None:
        if failure.check(CannotStart, CannotBecome, CertificateError, AccountsError):
            self.failure = str(failure.value)
            log.critical("{reason}", reason=self.failure)
        else:
            self.failure = f"unexpected: {failure.value!r}"
            log.failure("mailsys cannot start", failure)
        self._reactor.callWhenRunning(self._reactor.stop)

    async def _bind(self) -> None:
        check_user(self._configuration.process.user)
        raise_file_limit()
        for sentence in not_built_yet(self._configuration):
            log.warn("{sentence}", sentence=sentence)
        try:
            make_data_folder(self._configuration.data, self._configuration.process.user)
        except OSError as error:
            raise CannotStart(f"The data folder cannot be made: {error}") from error
        certificate = self._certificate()
        limits = ConnectionLimits(
            self._configuration.limits.connections, self._configuration.limits.connections_per_address
        )
        for listener in self._configuration.listen:
            if listener.service in SERVED:
                self._ports.append(await self._open(listener, certificate, limits))
        if not self._ports:
            raise CannotStart("No [[listen]] in the configuration opens a port.")

    def _certificate(self) -> CertificateOptions | None:
        tls = self._configuration.tls
        return load_certificate(tls.certificate, tls.key) if tls.certificate else None

    async def _open(
        self, listener: Listener, certificate: CertificateOptions | None, limits: ConnectionLimits
    ) -> OpenPort:
        factory = ConversationFactory(
            self._reactor,
            listener.service,
            limits,
            BUSY[listener.service],
            None if listener.tls == "none" else certificate,
            implicit_tls=listener.tls == "implicit",
        )
        try:
            port = await serverFromString(self._reactor, listener.endpoint).listen(factory)
        except Exception as error:
            raise CannotStart(f"{listener.service} cannot listen at {listener.endpoint}: {error}") from error
        port.stopReading()
        return OpenPort(listener, port, factory)

    async def _serve(self) -> None:
        become(self._configuration.process.user)
        self._claim = claim(self._configuration.data)
        self._stations = stations = Stations(self._configuration, self._reactor)
        stations.start()
        await stations.files.run(stations.intake.replay)
        stations.intake.start()
        for opened in self._ports:
            opened.factory.converse = stations.converse(opened.listener.service)
            opened.port.startReading()
            log.info(
                "{service} listens at {endpoint}",
                service=opened.listener.service,
                endpoint=opened.listener.endpoint,
            )

        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    def reload(self) -> None:
        """SIGHUP: take a renewed certificate; connections that are open keep theirs.

        What else has changed in the configuration needs a restart.
        """
        try:
            certificate = self._certificate()
        except CertificateError as error:
            log.error("The old certificate stays in use: {reason}", reason=str(error))
            return
        for opened in self._ports:
            if opened.listener.tls != "none":
                opened.factory.tls = certificate
        log.info("Read the certificate again")

    # ------------------------------------------------------------------ stop

    def stopService(self) -> Deferred[None]:
        """Take no new connection, end the open ones, and finish what was begun."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for opened in self._ports:
            port: IListeningPort = opened.port
            stopping = port.stopListening()
            if stopping is not None:
                await stopping
        for opened in self._ports:
            opened.factory.end_all()
        if self._stations is not None:
            await self._stations.stop()
        if self._claim is not None:
            os.close(self._claim)
