"""Signs what users and programs of ours send, with all keys of the domain in From.

It is done once, when a message is accepted, and not at each attempt to send it: what is synced into the log
and the queue is then what leaves, and a signature costs no more for many hosts than for one.  The price is
that ``x=`` must outlast the queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from zope.interface import implementer

from mailsys.dkim.body_hash import hash_body
from mailsys.dkim.keyring import Keyring
from mailsys.dkim.sign import WANTED, SigningKey, signature_fields
from mailsys.dkim.signed_header import SignedHeader, read_signed_header
from mailsys.interfaces import ISigner, IWorkers
from mailsys.message.content import Content
from mailsys.message.mailboxes import parse_address_list

AFTER_QUEUE_SECONDS = 2 * 24 * 3600  # how long others may keep it, when we had it as long as we may


@implementer(ISigner)
class Signer:
    """A signature holds for ``valid_seconds``, from when the message leaves."""

    def __init__(
        self, keyring: Keyring, workers: IWorkers, now: Callable[[], float], valid_seconds: float
    ) -> None:
        self._keyring = keyring
        self._workers = workers
        self._now = now
        self.valid_seconds = valid_seconds

    async def lines(self, content: Content, leaves_at: float = 0.0) -> Sequence[bytes]:
        """A DKIM-Signature for each key, or none; a large body is hashed in a thread."""
        if not self._keyring.domains:
            return ()  # for a host that signs nothing it would be work for nothing, with every message
        header = read_signed_header(content)
        keys = self._keys_for(header)
        if not keys:
            return ()
        bodies = await hash_body(content, header.body_start, (WANTED,), self._workers)
        digest = bodies[WANTED].digest
        assert digest is not None  # noqa: S101 - there is always one of the whole body
        now = self._now()
        expires_at = max(now, leaves_at) + self.valid_seconds
        end = int(expires_at) if math.isfinite(expires_at) else None
        return signature_fields(header, digest, keys, int(now), end)

    def _keys_for(self, header: SignedHeader) -> Sequence[SigningKey]:
        """DMARC looks at the domain in From, and at no other address."""
        authors = header.all(b"from")
        if len(authors) != 1 or not header.is_complete or not self._may_be_ours(authors[0].value):
            return ()
        mailboxes = list(parse_address_list(authors[0].value, limit=1).mailboxes)
        if not mailboxes or mailboxes[0].address is None:
            return ()
        return self._nearest(mailboxes[0].address.domain)

    def _may_be_ours(self, author: bytes) -> bool:
        """Is it worth reading?  Beyond ASCII a domain can be written in more ways than one."""
        if not author.isascii():
            return True
        words = "".join(author.decode().lower().split())
        return any(domain in words for domain in self._keyring.domains)

    def _nearest(self, domain: str) -> Sequence[SigningKey]:
        """Those of a domain above it, too: programs write as from the host, which is below one of ours."""
        while "." in domain:
            if keys := self._keyring.active(domain):
                return keys
            domain = domain.partition(".")[2]
        return ()
