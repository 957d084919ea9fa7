"""What an operator should know of the certificates: in a line each, and when one needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.x509.oid import NameOID

from mailsys.tls.certificate import HostCertificate
from mailsys.tls.table import CertificateTable

NOTICE = timedelta(days=14)
SHOWN_NAMES = 6


def describe(certificate: HostCertificate) -> str:
    """One certificate in one line: whose it is, who issued it, until when."""
    names = [*certificate.names, *certificate.addresses]
    if len(names) > SHOWN_NAMES:
        names[SHOWN_NAMES:] = [f"{len(names) - SHOWN_NAMES} more"]
    issuer = "itself" if certificate.is_self_signed else _issuer(certificate.own)
    until = f"{certificate.own.not_valid_after_utc:%Y-%m-%d}"
    return f"{certificate.files.certificate}: for {', '.join(names) or 'no name'}; by {issuer}; until {until}"


def remarks(table: CertificateTable, hostname: str, now: datetime) -> Iterator[str]:
    """A sentence for all that will not work, or soon will not."""
    if table.find(hostname) is None:
        yield (
            f"No certificate is for {hostname}, which is this host's name: programs that connect there"
            " will not trust it."
        )
    for certificate in table.certificates:
        for remark in (*_of_time(certificate.own, now), *_of_chain(certificate), *_of_names(certificate)):
            yield f"The certificate {certificate.files.certificate} {remark}"


def _of_time(own: x509.Certificate, now: datetime) -> Iterator[str]:
    begins, ends = own.not_valid_before_utc, own.not_valid_after_utc
    if now < begins:
        yield f"is valid only from {begins:%Y-%m-%d %H:%M} UTC on."
    elif now >= ends:
        yield f"has expired ({ends:%Y-%m-%d}): renew it."
    elif ends - now < min(NOTICE, (ends - begins) / 3):  # some live for six days only
        yield f"expires in {_days(ends - now)} ({ends:%Y-%m-%d}): see that it is renewed."


def _of_chain(certificate: HostCertificate) -> Iterator[str]:
    chain = certificate.chain
    if any(lower.issuer != upper.subject for lower, upper in pairwise(chain)):
        yield (
            "has its issuers' certificates in the wrong order: ours has to come first,"
            " then each the issuer of the one before."
        )
    elif len(chain) == 1 and not certificate.is_self_signed:
        yield (
            "comes without that of its issuer, so that others may not trust it: name the file with the"
            " full chain (certbot calls it fullchain.pem)."
        )


def _of_names(certificate: HostCertificate) -> Iterator[str]:
    if not certificate.names:
        yield "is for no host name (it has no subjectAltName), so that nobody can trust it."


def _days(left: timedelta) -> str:
    days = left // timedelta(days=1)
    return "less than a day" if not days else "a day" if days == 1 else f"{days} days"


def _issuer(own: x509.Certificate) -> str:
    """Organisation and common name, in printable characters."""
    shown = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    text = " ".join(str(part.value) for part in own.issuer if part.oid in shown) or "an unnamed issuer"
    return "".join(character if character.isprintable() else "?" for character in text)
