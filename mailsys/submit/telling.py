"""A letter into the mailbox of a user whose mail is held."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.interfaces import Acceptance, IIntake, IMailDrop, IRouter, ToMailboxes
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.trace_fields import date_time, delivered_to_field, return_path_field

SUBJECT = "Your mail to other hosts is held"
_LETTER = """\
From: "The mail host {hostname}" <postmaster@{domain}>
To: <{account}>
Subject: {subject}
Date: {date}
Message-ID: <{id}@{hostname}>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Your account sent {over}.

What you send to other hosts now is kept and not lost, but it waits until
the people who run {hostname} let it go.  Ask them.  Mail to
people here goes out as always.  A day after the last of many messages
all is as before.

If it was not you who sent so much, somebody knows your password: change
it at once, and tell them.
"""


class HeldLetters:
    """Lays them straight into the mailbox."""

    def __init__(
        self,
        intake: IIntake,
        drop: IMailDrop,
        router: IRouter,
        hostname: str,
        new_id: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._intake = intake
        self._drop = drop
        self._router = router
        self._hostname = hostname
        self._new_id = new_id
        self._now = now

    async def tell(self, account: Address, over: str) -> None:
        """Write to an account; raises NotStored, DirectoryUnavailable."""
        route = await self._router.route(account)
        if not isinstance(route, ToMailboxes):
            return  # its account has gone meanwhile
        envelope = Envelope(self._new_id(), None, (account,), smtputf8=not account.is_ascii)
        content = MemoryContent([self._letter(envelope.id, account, over)])
        head = return_path_field(None) + delivered_to_field(account, smtputf8=envelope.smtputf8)
        actions = tuple([self._drop.plan(one, account, head, content.size) for one in route.accounts])
        await self._intake.commit(Acceptance(envelope, actions, content, {"subject": SUBJECT}))

    def _letter(self, id_: str, account: Address, over: str) -> bytes:
        text = _LETTER.format(
            hostname=self._hostname, domain=account.domain, account=account, subject=SUBJECT,
            date=date_time(self._now()), id=id_, over=over,
        )  # fmt: skip
        return text.replace("\n", "\r\n").encode()
