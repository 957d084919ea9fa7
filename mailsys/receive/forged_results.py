"""Fields of a message that pass for our own results are left out: the one thing of it that we remove.

It is done after the judges have seen the message, since a signature may be over such a field.
"""

from __future__ import annotations

from mailsys.interfaces import Session
from mailsys.message import authentication_results
from mailsys.message.content import Content
from mailsys.message.headers import parse_headers, read_header_block
from mailsys.receive.reception import Reception
from mailsys.receive.transaction import Transaction


async def without_forged_results(
    reception: Reception, session: Session, transaction: Transaction, content: Content
) -> Content:
    """RFC 8601 5: the content without what claims to be from us; raises OSError."""
    if not _comes_from_outside(reception, session):
        return content
    block = read_header_block(content)
    if authentication_results.NAME not in block.lower():
        return content
    forged = authentication_results.claiming(parse_headers(block), reception.settings.hostname)
    return await transaction.collector.without(forged) if forged else content


def _comes_from_outside(reception: Reception, session: Session) -> bool:
    """Not from a host of ours that has judged it, or that we trust; a user's program is outside."""
    if reception.is_submission:
        return True
    return not (reception.is_lmtp or reception.admission.trusts(session))
