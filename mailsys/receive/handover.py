"""The end of a message: judge it, find room, and hand it over to the intake.

What comes back is one reply for each recipient (LMTP says them all; SMTP, where they are all the
same, says the first).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mailsys.interfaces import (
    Acceptance,
    Action,
    DirectoryUnavailable,
    Disposition,
    MailboxAction,
    NotStored,
    PluginFailed,
    QueueAction,
    Session,
    Verdict,
)
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import Content, HeadedContent
from mailsys.message.envelope import Body, Envelope
from mailsys.message.missing_fields import missing_fields
from mailsys.message.reply import Reply
from mailsys.message.trace_fields import (
    Trace,
    date_time,
    delivered_to_field,
    original_to_field,
    received_field,
    return_path_field,
)
from mailsys.receive import story
from mailsys.receive.collector import MEMORY_OCTETS
from mailsys.receive.forged_results import without_forged_results
from mailsys.receive.handing_on import hand_on
from mailsys.receive.leaving import kept_here, objections
from mailsys.receive.reception import Reception
from mailsys.receive.room import Room
from mailsys.receive.transaction import RoutedRecipient, Transaction
from mailsys.receive.vouching import is_vouched_for, speaks_for_us
from mailsys.wire.data import ContentScan, DataFault

JUNK_FOLDER = "Junk"  # made in a mailbox when the first message for it comes

FAULTS: Mapping[DataFault, Reply] = {
    DataFault.BARE: replies.BARE_IN_MESSAGE,
    DataFault.LONG_LINE: replies.DATA_LINE_TOO_LONG,
}


async def hand_over(
    reception: Reception, session: Session, transaction: Transaction, fault: DataFault | None
) -> Sequence[Reply]:
    """Return a reply for each recipient, in their order; 250 only for what is safe."""
    handover = Handover(reception, session, transaction)
    everyone = len(transaction.recipients)
    reply, reason = handover.first_objection(fault)
    if reply is None:
        return await handover.judge_and_commit()
    story.refused_message(reception, session, transaction, reply, reason)
    return [reply] * everyone


def header_fault(body: Body, content: Content) -> bool:
    """RFC 3030 3: BINARYMIME frees the body from CR LF, not the header, whose readers differ on bare ends."""
    if body is not Body.BINARY_MIME:
        return False
    start = content.read(0, MEMORY_OCTETS)
    end = start.find(b"\r\n\r\n")
    scan = ContentScan()
    scan.feed(start if end < 0 else start[: end + 4])
    return scan.fault() is DataFault.BARE


class Handover:
    """The last steps of one message."""

    def __init__(self, reception: Reception, session: Session, transaction: Transaction) -> None:
        self._reception = reception
        self._session = session
        self._transaction = transaction
        self._envelope = transaction.envelope()
        self._signed: Content | None = None  # what our signatures cover
        self._signatures: Sequence[bytes] = ()
        self._added = b""  # fields that a user's program left out

    def first_objection(self, fault: DataFault | None) -> tuple[Reply | None, str]:
        """What is wrong with the octets, before anybody reads them."""
        if self._transaction.is_too_big:
            return replies.TOO_BIG, f"{self._transaction.octets} octets"
        if fault is not None:
            return FAULTS[fault], fault.value
        if self._transaction.is_broken:
            return replies.NO_STORAGE, "its octets could not be written to the spool"
        return None, ""

    async def judge_and_commit(self) -> Sequence[Reply]:
        """Ask the judges; then every mailbox that has room gets its copy, or the delivery takes it."""
        everyone = len(self._transaction.recipients)
        try:
            content = await self._transaction.collector.finish()
        except OSError as error:
            return self._refuse(replies.NO_STORAGE, str(error), everyone)
        if header_fault(self._envelope.body, content):
            return self._refuse(replies.BARE_IN_MESSAGE, "in the header of a BINARYMIME message", everyone)
        if self._reception.is_submission:
            hostname, now = self._reception.settings.hostname, self._reception.now()
            self._added = missing_fields(content, self._envelope.id, hostname, now)
        verdict = await self._reception.judges.message(self._session, self._envelope, content)
        sender = self._envelope.reverse_path
        if is_vouched_for(self._reception.admission, self._session, sender):
            self._envelope = replace(self._envelope, is_vouched_for=True)
        if verdict.disposition in (Disposition.REJECT, Disposition.DEFER):
            return self._refuse(verdict.reply or replies.LOCAL_ERROR, verdict.reason, everyone)
        lost = objections(self._transaction.recipients.values(), verdict)
        if lost and not self._reception.is_lmtp:  # SMTP has one answer for all recipients
            return self._refuse(next(iter(lost.values())), verdict.reason, everyone)
        parts = self._reception, self._session, self._transaction
        try:
            content = await without_forged_results(*parts, content)
            lines = await self._lines(content)
        except OSError as error:
            return self._refuse(replies.NO_STORAGE, str(error), everyone)
        except (PluginFailed, DirectoryUnavailable) as failed:
            return self._refuse(replies.LOCAL_ERROR, str(failed), everyone)
        if lines:
            verdict = replace(verdict, headers=(*lines, *verdict.headers))
        if self._transaction.has_delivery and not self._waiting_of(self._transaction.recipients.values()):
            head = self._head(self._envelope, verdict)
            whole = self._reception, self._session, self._transaction, head, content, verdict, self._added
            return [await hand_on(*whole)]
        return await self._commit_with_room(content, verdict)

    async def _lines(self, content: Content) -> Sequence[bytes]:
        """What plugins write, and our signatures over that, what a user's program left out, and the rest.

        Only who may send to other hosts may speak for us, so a stranger's mail is never signed.
        """
        lines = await self._reception.header_writers.lines(self._envelope, content)
        if not await speaks_for_us(self._reception.admission, self._session, self._envelope.reverse_path):
            return lines
        head = b"".join(lines) + self._added
        whole = HeadedContent(head, content) if head else content
        self._signed = whole
        self._signatures = await self._reception.signer.lines(whole, self._transaction.not_before)
        return *self._signatures, *lines

    async def _without_end(self, verdict: Verdict) -> Verdict:
        """Our signatures anew, for nobody knows when what is held will leave; raises OSError."""
        if self._signed is None or not self._signatures:
            return verdict
        signatures = await self._reception.signer.lines(self._signed, math.inf)
        return replace(verdict, headers=(*signatures, *verdict.headers[len(self._signatures) :]))

    async def _commit_with_room(self, content: Content, verdict: Verdict) -> Sequence[Reply]:
        room = Room(self._reception.quota)
        recipients = kept_here(self._transaction.recipients.values(), verdict)
        everyone = len(recipients)
        try:
            await room.hold(recipients, content.size)
            return await self._commit_for(recipients, content, verdict, room)
        except OSError as error:  # nothing was committed: the intake itself raises NotStored
            return self._refuse(replies.NO_STORAGE, str(error), everyone)
        finally:
            room.release()

    def _refuse(self, reply: Reply, reason: str, everyone: int) -> Sequence[Reply]:
        story.refused_message(self._reception, self._session, self._transaction, reply, reason)
        return [reply] * everyone

    # ------------------------------------------------------------------ commit

    async def _commit_for(
        self, recipients: Sequence[RoutedRecipient], content: Content, verdict: Verdict, room: Room
    ) -> Sequence[Reply]:
        """Deliver where there is room.

        SMTP has one answer for all recipients.  When only some have no room it is 452: the client
        tries again, declares the size, and hears at each RCPT which of them it is.
        """
        full = room.lacking
        if full and (not self._reception.is_lmtp or len(full) == len(recipients)):
            reply = replies.MESSAGE_OVER_QUOTA if len(full) == len(recipients) else replies.MAILBOX_FULL
            words = f"{replies.MESSAGE_OVER_QUOTA.text} of <{next(iter(full))}>"
            return self._refuse(reply.with_text(words), "", len(recipients))
        refused = {**objections(recipients, verdict), **dict.fromkeys(full, replies.MESSAGE_OVER_QUOTA)}
        takers = [recipient for recipient in recipients if recipient.address not in refused]
        if not takers:
            first = next(iter(refused.values()))
            self._refuse(first, verdict.reason, len(recipients))
            return [refused[recipient.address] for recipient in recipients]
        answer = await self._commit(takers, content, verdict, room)
        return [refused.get(recipient.address, answer) for recipient in recipients]

    async def _commit(
        self, takers: Sequence[RoutedRecipient], content: Content, verdict: Verdict, room: Room
    ) -> Reply:
        envelope = self._envelope
        if len(takers) != len(envelope.recipients):
            envelope = replace(envelope, recipients=tuple(taker.address for taker in takers))
        held = await self._count([taker.address for taker in takers if taker.is_outside])
        if held:
            verdict = await self._without_end(verdict)
        answer = self._thanks(held)
        waiting = {one.address for one in self._waiting_of(takers)}
        laid = [one for one in takers if one.address not in waiting]
        copies = self._copies(envelope, laid, content, verdict)
        queued = self._waiting(envelope, takers, content, verdict, held)
        actions: tuple[Action, ...] = (*copies, *queued)
        facts = story.accepted(
            self._session, self._transaction, takers, content, verdict, answer, self._added
        )
        self._transaction.is_handed_over = True
        try:
            await self._reception.intake.commit(Acceptance(envelope, actions, content, facts))
        except NotStored as error:
            self._transaction.is_handed_over = False
            story.refused_message(
                self._reception, self._session, self._transaction, replies.NO_STORAGE, str(error)
            )
            return replies.NO_STORAGE
        room.use(copies, content.size)
        if verdict.disposition is Disposition.ACCEPT:
            self._note_caught(takers)
            self._reception.history.note(
                self._session, envelope.reverse_path, [taker.address for taker in takers if taker.accounts]
            )
        return answer

    def _thanks(self, held: str) -> Reply:
        words = f"Accepted as {self._envelope.id}"
        if held:
            words += "; held for now, as you sent very much"
        elif self._transaction.not_before:
            words += f"; it leaves on {date_time(self._transaction.not_before)}"
        return replies.OK.with_text(words)

    def _waiting_of(self, takers: Iterable[RoutedRecipient]) -> list[RoutedRecipient]:
        return [taker for taker in takers if self._transaction.waits(taker)]

    async def _count(self, outside: Sequence[Address]) -> str:
        """Count what a user sends; return why it is to be held, or nothing; raises OSError."""
        login = self._session.login
        if not outside or login is None or not self._reception.is_submission:
            return ""
        return await self._reception.limits.count(login, outside)

    def _note_caught(self, takers: Sequence[RoutedRecipient]) -> None:
        """Whoever got mail by a catch-all may answer under that address."""
        for taker in takers:
            for account in taker.accounts if taker.is_caught else ():
                self._reception.caught.note(account.address, taker.address.folded())

    def _copies(
        self, envelope: Envelope, takers: Sequence[RoutedRecipient], content: Content, verdict: Verdict
    ) -> tuple[MailboxAction, ...]:
        """One copy an account, though several recipients may lead to it."""
        shared = self._head(envelope, verdict)
        return_path = return_path_field(envelope.reverse_path)
        crlf = envelope.body is not Body.BINARY_MIME
        actions: dict[Address, MailboxAction] = {}
        also_for: dict[Address, list[Address]] = {}
        for taker in takers:
            for account in taker.accounts:
                if account.address in actions:
                    also_for.setdefault(account.address, []).append(taker.address)
                else:
                    to = delivered_to_field(account.address, smtputf8=envelope.smtputf8)
                    if taker.address != account.address:
                        to += original_to_field(taker.address, smtputf8=envelope.smtputf8)
                    head = return_path + to + shared
                    actions[account.address] = self._reception.drop.plan(
                        account, taker.address, head, content.size, crlf=crlf
                    )
        for address, sharing in also_for.items():
            actions[address] = replace(actions[address], also_for=tuple(sharing))
        if verdict.disposition is Disposition.JUNK:
            return tuple([replace(action, folder=JUNK_FOLDER) for action in actions.values()])
        return tuple(actions.values())

    def _waiting(
        self,
        envelope: Envelope,
        takers: Sequence[RoutedRecipient],
        content: Content,
        verdict: Verdict,
        held: str,
    ) -> tuple[QueueAction, ...]:
        """One copy in the queue for all who live elsewhere, and for those here of whom we have to tell."""
        recipients = {taker.address: taker.address for taker in self._waiting_of(takers)}
        waiting = frozenset(recipients)
        for taker in takers:
            for target in taker.forwarded if taker.address not in waiting else ():
                recipients.setdefault(target, taker.address)
        if not recipients:
            return ()
        head = self._head(envelope, verdict)
        at = self._reception.now()
        octets = len(head) + content.size
        forwarded = {target: alias for target, alias in recipients.items() if target != alias}
        for_them = replace(envelope, recipients=tuple(recipients), forwarded=forwarded)
        bound = {taker.address for taker in takers if taker.is_outside}
        free = tuple(one for one in recipients if one not in bound) if held else ()
        return (QueueAction(for_them, at, head, octets, self._transaction.not_before, held, free),)

    def _head(self, envelope: Envelope, verdict: Verdict) -> bytes:
        """Our lines that all copies share."""
        return b"".join(verdict.headers) + self._received(envelope) + self._added

    def _received(self, envelope: Envelope) -> bytes:
        """RFC 5321 7.2: a recipient is named only when there is no other, so that none learns of others."""
        trace = Trace(
            envelope.id,
            self._reception.settings.hostname,
            self._session.greeting,
            self._session.peer.host,
            protocol=self._session.protocol,
            tls=self._session.tls,
            smtputf8=envelope.smtputf8,
            hides_client=self._reception.is_submission,
        )
        only = envelope.recipients[0] if len(envelope.recipients) == 1 else None
        return received_field(trace, only, self._reception.now())
