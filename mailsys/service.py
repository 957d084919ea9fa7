"""The host as a Twisted service: opens its ports, replays its log, serves, and stops in order."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import IO, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from mailsys.config import Configuration, ConfigurationError, load, not_built_yet
from mailsys.config.renewal import Renewal, renew
from mailsys.control.configuration import installed
from mailsys.listeners import CannotListen, Listeners
from mailsys.logs import FileSink, LogOutput, StreamSink
from mailsys.net.certificate_watch import CertificateWatch
from mailsys.net.control_socket import ControlSocket
from mailsys.net.tls import HostTLS
from mailsys.process import (
    CannotBecome,
    InheritedSockets,
    Supervisor,
    become,
    check_data_folder,
    check_program,
    check_user,
    claim,
    first_environment,
    forbid_core_dumps,
    keep_files_private,
    keep_what_is_loaded,
    make_data_folder,
    raise_file_limit,
    sign,
    user_named,
)
from mailsys.stations import CannotWork, Stations
from mailsys.status import HostStatus
from mailsys.tls.certificate import HostCertificate, read_certificates
from mailsys.tls.faults import CertificateError

log = Logger(namespace="mailsys")

Step = Callable[[], Coroutine[Deferred[Any], Any, None]]


class CannotStart(Exception):  # noqa: N818 - a sentence for the operator
    """The host cannot start; the text says why."""


class MailHost(Service):
    """One host.

    What keeps it from starting is logged.  If that is known before the reactor runs, ``prepare`` or
    ``startService`` raises CannotStart.  Otherwise it stands in ``failure``, and ``give_up`` is called,
    which has to stop the reactor.  ``user`` is whom the process will be, should somebody else see to that.
    ``logs`` is where the log goes, if that is ours to say.
    """

    name = "mailsys"

    def __init__(
        self,
        configuration: Configuration,
        reactor: Any,
        give_up: Callable[[], None],
        user: str | None = None,
        logs: LogOutput | None = None,
    ) -> None:
        self._configuration = configuration
        self._logs = logs
        self._user = configuration.process.user if user is None else user
        self._reactor = reactor
        self._give_up = give_up
        self._listeners = Listeners(reactor)
        self._stations: Stations | None = None
        self._tls: HostTLS | None = None
        self._watch: CertificateWatch | None = None
        self._claim = -1  # the descriptor that holds it
        self._status = HostStatus(self._listeners, configuration.hostname)
        self._supervisor = Supervisor(reactor, os.environ, self._status.line)
        self._control: ControlSocket | None = None
        # One step at a time: bind, serve, each reading of the configuration, stop.
        self._steps: Deferred[None] = succeed(None)
        self._is_begun = self._is_prepared = self._is_stopping = False
        self.failure = ""

    # ------------------------------------------------------------------ start

    def setServiceParent(self, parent: Any) -> None:
        """Let twistd, which asks its application about that, log where we do."""
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]
        if self._logs is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._logs)

    def prepare(self) -> None:
        """Take the data folder and bind the ports while we may; nobody is let in yet.

        Whoever makes a daemon of the process calls it before that, where mistakes can still be told.
        """
        self._is_begun = True
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        if self._logs is not None:
            reopen = self._logs.reopen
            signal.signal(signal.SIGUSR1, lambda *_: self._reactor.callFromThread(reopen))
        self._begin(self._bind)
        self._tell_failure()
        self._is_prepared = True

    def privilegedStartService(self) -> None:
        """What twistd calls as root."""
        if not self._is_begun:
            self.prepare()

    def startService(self) -> None:
        """Become who we are to be, replay, and serve."""
        super().startService()  # type: ignore[no-untyped-call]
        self.privilegedStartService()  # twist, unlike twistd, begins here
        self._begin(self._serve)
        self._tell_failure()

    def _begin(self, step: Step) -> None:
        """Take a step of the start after those before it, unless one of them failed."""

        def take(_: None) -> Deferred[None] | None:
            return None if self.failure or self._is_stopping else Deferred.fromCoroutine(step())

        self._steps.addCallback(take).addErrback(self._fail)

    def _fail(self, failure: Failure) -> None:
        if failure.check(CannotBecome, CannotListen, CannotWork, CertificateError):
            self.failure = str(failure.value)
            if self._is_prepared:  # before, whoever calls us tells it, and there may be no log yet
                log.critical("{reason}", reason=self.failure)
        else:
            self.failure = f"The server cannot start: {failure.value!r}; its log tells more."
            log.failure("The server cannot start", failure)
        if self._reactor.running and not self._is_stopping:
            self._give_up()

    def _tell_failure(self) -> None:
        if self.failure:
            raise CannotStart(self.failure)

    async def _bind(self) -> None:
        configuration, user = self._configuration, self._user
        check_user(user)
        check_program(user)
        raise_file_limit()
        forbid_core_dumps()
        keep_files_private()
        for sentence in not_built_yet(configuration):
            log.warn("{sentence}", sentence=sentence)
        make_data_folder(configuration.data, user)
        check_data_folder(configuration.data, user)
        self._claim = claim(configuration.data, user)
        if files := configuration.tls.files:
            self._tls = HostTLS(read_certificates(files))
        inherited = InheritedSockets.from_environment(first_environment())
        await self._listeners.bind(configuration, self._tls, inherited)

    async def _serve(self) -> None:
        become(self._user)
        try:
            sign(self._claim)
        except OSError:  # a full disk keeps nobody from fetching mail
            log.failure("The lock of the data folder could not be signed")
        self._supervisor.start()
        self._stations = stations = Stations(self._configuration, self._reactor)
        self._status.stations, self._status.tls = stations, self._tls
        self._open_control()
        await stations.start()
        self._watch_certificates(stations)
        if not self._is_stopping:
            keep_what_is_loaded()
            self._listeners.let_in(stations.converse, stations.note_refusal)
            self._status.phase = "serving"
            self._supervisor.ready()

    def _open_control(self) -> None:
        """Without it mail is served all the same."""
        control = ControlSocket(self._reactor, self._configuration.data, {"status": self._status.facts})
        try:
            control.open()
        except OSError:
            log.failure("There is no control socket: 'mailsys status' cannot ask this server")
        else:
            self._control = control

    def _watch_certificates(self, stations: Stations) -> None:
        if self._tls is None:
            return
        hostname = self._configuration.hostname
        self._watch = CertificateWatch(self._tls, stations.files, self._reactor, _now, hostname)
        self._watch.start()

    # ------------------------------------------------------------------ change

    def reload(self) -> None:
        """SIGHUP: read configuration and certificates again, for the connections to come."""
        self._begin(self._renew)

    async def _renew(self) -> None:
        """Take over what needs no restart; with a mistake anywhere all stays as it is."""
        stations = self._stations
        if stations is None:
            return
        self._supervisor.reloading()
        try:
            await self._take_over(stations)
        finally:
            self._supervisor.ready()

    async def _take_over(self, stations: Stations) -> None:
        try:
            renewal, certificates = await stations.files.run(self._read_again)
        except (ConfigurationError, CertificateError) as mistakes:
            for mistake in str(mistakes).splitlines():
                log.error("{mistake}", mistake=mistake)
            log.error("The configuration was not read again: the old one stays in force")
            return
        except Exception:
            log.failure("The configuration was not read again: the old one stays in force")
            return
        try:
            self._configuration, plugins = await stations.renew(renewal.configuration)
        except CannotWork as reason:
            log.error("{reason}", reason=str(reason))
            log.error("The configuration was not read again: the old one stays in force")
            return
        self._listeners.renew(self._configuration, stations.converse)
        self._status.hostname = self._configuration.hostname
        if self._logs is not None:
            self._logs.configure(self._configuration.log)
        self._renew_certificates(certificates)
        log.info("Read configuration and certificates again, for new connections")
        if needs_restart := (*renewal.needs_restart, *plugins):
            log.warn("Changed, but needs a restart: {names}", names=", ".join(needs_restart))

    def _read_again(self) -> tuple[Renewal, tuple[HostCertificate, ...]]:
        """In a thread, since files are read; raises ConfigurationError, CertificateError."""
        in_force = self._tls.table.certificates if self._tls else ()
        held = [certificate.files for certificate in in_force]
        renewal = renew(self._configuration, load(self._configuration.path, installed(), held))
        return renewal, read_certificates(renewal.configuration.tls.files, in_force)

    def _renew_certificates(self, certificates: tuple[HostCertificate, ...]) -> None:
        if self._tls is not None and self._watch is not None and certificates:
            self._tls.renew(certificates)
            self._watch.hostname = self._configuration.hostname
            self._watch.tell()

    # ------------------------------------------------------------------ stop

    def stopService(self) -> Deferred[None]:
        """Take no new connection, end the open ones, and finish what was begun."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._is_stopping = True
        self._status.phase = "stopping"
        self._supervisor.stopping()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._listeners.close()
        await self._steps  # a replay that was begun is finished
        self._listeners.end_connections()
        if self._watch is not None:
            await self._watch.stop()
        if self._control is not None:
            await self._control.close()
        if self._stations is not None:
            await self._stations.stop()
        if self._claim >= 0:
            os.close(self._claim)
        self._supervisor.close()


def _now() -> datetime:
    return datetime.now(UTC)


def log_sink(configuration: Configuration, stream: IO[str], user: str | None = None) -> StreamSink:
    """Where the log goes: to the file of ``[log]``, or else to the stream; raises CannotLog."""
    if not configuration.log.file:
        return StreamSink(stream)
    who = user_named(configuration.process.user if user is None else user)
    return FileSink(configuration.log.file, (who.pw_uid, who.pw_gid))
