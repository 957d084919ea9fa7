"""Our own signatures on mail that is ours."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailsys.message.content import Content


class ISigner(Interface):
    """Signs for our domains."""

    async def lines(content: Content, leaves_at: float = 0.0) -> Sequence[bytes]:
        """Whole fields for the top of the message, each ending with CR LF; raises OSError.

        ``leaves_at`` is when it will leave if that is not soon, in seconds since 1970; infinite when
        nobody knows, and then the signature has no end.

        None where its From is of no domain that we have keys for.  Whoever asks knows that the message
        is from one of us: a stranger's is never signed.
        """
