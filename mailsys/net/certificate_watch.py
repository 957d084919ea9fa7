"""Notices that the files of a certificate were renewed, and puts it in force without a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from mailsys.interfaces import HostStops, IWorkers
from mailsys.net.tls import HostTLS
from mailsys.tls.certificate import HostCertificate, read_certificate
from mailsys.tls.faults import CertificateError
from mailsys.tls.files import CertificateFiles, Stamp
from mailsys.tls.remarks import describe, remarks

LOOK_SECONDS = 5.0
REMARK_SECONDS = 24 * 3600.0

log = Logger(namespace="mailsys")


class CertificateWatch:
    """Looks at the files in a thread, every few seconds.

    A change is taken once two looks have seen the same, so that nothing half written is read, nor a
    certificate whose key has not come yet.  What cannot be used then is told once, and the old one
    stays in force.  ``hostname`` is what the host is called now.
    """

    def __init__(
        self,
        tls: HostTLS,
        workers: IWorkers,
        clock: IReactorTime,
        now: Callable[[], datetime],
        hostname: str,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._tls = tls
        self._workers = workers
        self._clock = clock
        self._now = now
        self.hostname = hostname
        self._look_seconds = look_seconds
        self._seen: dict[CertificateFiles, Stamp] = {}
        self._refused: dict[CertificateFiles, Stamp] = {}
        self._remark_at = 0.0
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self._look_and_tell()))
        self._loop.clock = clock
        self._ended: Deferred[LoopingCall] | None = None

    def start(self) -> None:
        """Tell what is in force, and begin to look."""
        self.tell()
        self._ended = self._loop.start(self._look_seconds, now=False)

    async def stop(self) -> None:
        """Look no more; a look that was begun is finished."""
        if self._ended is not None and self._loop.running:
            self._loop.stop()
            await self._ended

    def tell(self) -> None:
        """Say in the log which certificates are in force, and which of them need attention."""
        for certificate in self._tls.table.certificates:
            log.info("Certificate {certificate}", certificate=describe(certificate))
        self._remark()

    async def look(self) -> None:
        """Look once."""
        held = self._tls.table.certificates
        stamps = await self._workers.run(_stamps, [certificate.files for certificate in held])
        for certificate, stamp in zip(held, stamps, strict=True):
            if self._has_settled(certificate, stamp):
                await self._renew(certificate, stamp)
        if self._clock.seconds() >= self._remark_at:
            self._remark()

    # ------------------------------------------------------------------ inside

    async def _look_and_tell(self) -> None:
        try:
            await self.look()
        except HostStops:
            pass
        except Exception:
            log.failure("The certificates could not be looked at")

    def _has_settled(self, certificate: HostCertificate, stamp: Stamp) -> bool:
        """Are the files different from those in force, and the same as at the last look?"""
        files = certificate.files
        before, self._seen[files] = self._seen.get(files), stamp
        return stamp != certificate.stamp and stamp == before and stamp != self._refused.get(files)

    async def _renew(self, old: HostCertificate, stamp: Stamp) -> None:
        try:
            new = await self._workers.run(read_certificate, old.files)
        except CertificateError as error:
            self._refused[old.files] = stamp
            _tell_what_stays(error)
            return
        self._tls.replace(old, new)
        log.info("Renewed: certificate {certificate}", certificate=describe(new))
        self._remark()

    def _remark(self) -> None:
        self._remark_at = self._clock.seconds() + REMARK_SECONDS
        for remark in remarks(self._tls.table, self.hostname, self._now()):
            log.warn("{remark}", remark=remark)


def _stamps(all_files: list[CertificateFiles]) -> list[Stamp]:
    return [files.stamp() for files in all_files]


def _tell_what_stays(error: CertificateError) -> None:
    if error.is_denied:  # usual after root was given up, and of no harm until the next renewal
        what = "Until then a renewed certificate is used only after a restart."
        log.warn("{reason}  {what}", reason=str(error.faults[-1]), what=what)
    else:
        what = "The certificate in force stays; the files are read again when they change."
        log.error("{reason}  {what}", reason=str(error), what=what)
