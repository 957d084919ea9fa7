"""Is a reverse-path the sender's own?  Only then may a notice go there, for strangers make them up.

This is the one place that knows.  Who may send to other hosts is known to us; all others are vouched for by
the domain of the reverse-path, if it says that their host may send for it (SPF) or has signed the message
(DKIM).
"""

from __future__ import annotations

from mailsys.interfaces import Session
from mailsys.message.address import Address
from mailsys.receive.recipients import Admission


def is_vouched_for(admission: Admission, session: Session, reverse_path: Address | None) -> bool:
    """Does somebody vouch for what this client says in MAIL?

    A stranger's empty sender is nobody's: SPF then tells of the name in HELO alone, and a failure would be
    the postmaster's to read.
    """
    if admission.trusts(session):
        return True
    if reverse_path is None:
        return False
    sender = next(iter(session.findings.get("spf", ())), None)
    if sender is None:
        return False
    signed = session.findings.get("dkim", ())
    return sender.passes or any(one.passes and one.domain == sender.domain for one in signed)


async def speaks_for_us(admission: Admission, session: Session, reverse_path: Address | None) -> bool:
    """May the message be signed as ours?  Raises DirectoryUnavailable.

    A host in a trusted network may be a gateway, which hands on the mail of strangers and their notices.
    What they wrote into From is not ours to sign, so there the reverse-path must be one of ours, too.
    """
    if not admission.trusts(session):
        return False
    if session.peer.service == "submission" or session.peer.uid is not None:
        return True
    return reverse_path is not None and await admission.router.route(reverse_path) is not None
