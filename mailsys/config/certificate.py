"""The files of ``[tls]``: can they be read, and does each certificate belong to its key?"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mailsys.config.mistake import Mistake, shown
from mailsys.config.schema import Tls
from mailsys.tls.files import CertificateFiles


def check_certificates(tls: Tls, in_force: Collection[CertificateFiles] = ()) -> Iterator[Mistake]:
    """Every mistake.  That we may no longer read files is none if the certificate is in force."""
    if tls.certificates and not (tls.certificate or tls.key):
        right = "name the certificate there that clients get who ask for no name, or for another"
        yield Mistake("tls.certificate", "", "is missing, though there are [[tls.certificates]]", right)
        return
    for prefix, files in zip(_prefixes(tls), tls.files, strict=True):
        yield from _check(prefix, files, is_in_force=files in in_force)


def _prefixes(tls: Tls) -> list[str]:
    further = [f"tls.certificates[{number}]" for number, _ in enumerate(tls.certificates, 1)]
    return ["tls", *further] if tls.files else []


def _check(prefix: str, files: CertificateFiles, *, is_in_force: bool) -> Iterator[Mistake]:
    from mailsys.tls.certificate import read_certificate
    from mailsys.tls.faults import CertificateError

    try:
        read_certificate(files)
    except CertificateError as error:
        for fault in error.faults:
            if not (fault.is_denied and is_in_force):
                yield Mistake(f"{prefix}.{fault.setting}", shown(fault.path), fault.wrong, fault.right)
