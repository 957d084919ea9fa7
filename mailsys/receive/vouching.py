"""Is a reverse-path the sender's own?  Only then may a notice go there, for strangers make them up.

This is the one place that knows: who may send to other hosts is known to us.  What SPF and DKIM find out
about all others belongs here as well.
"""

from __future__ import annotations

from mailsys.interfaces import Session
from mailsys.receive.recipients import Admission


def is_vouched_for(admission: Admission, session: Session) -> bool:
    """Does somebody vouch for what this client says in MAIL?"""
    return admission.trusts(session)
