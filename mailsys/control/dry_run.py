"""A session that never was: every station that can say no is asked, and nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from mailsys.accounts.near import near_addresses
from mailsys.config import Configuration
from mailsys.control.address_fault import fault_of
from mailsys.control.mailbox_look import used_octets
from mailsys.disk import Disk
from mailsys.interfaces import Account, Disposition, Session, Verdict
from mailsys.journal.phrases import size_in_words
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import render_path
from mailsys.message.mailboxes import parse_mailboxes
from mailsys.message.outcome import Deferred, Delivered, Failed, outcome_of
from mailsys.message.reply import Reply
from mailsys.message.srs import SenderRewriting
from mailsys.paths import Paths
from mailsys.queue.forwarding import return_address
from mailsys.receive.collector import Collector
from mailsys.receive.handover import FAULTS, JUNK_FOLDER
from mailsys.receive.leaving import may_leave
from mailsys.receive.memory import PIECE_OCTETS, MessageMemory
from mailsys.receive.recipients import Admission
from mailsys.receive.transaction import Transaction
from mailsys.receive.vouching import is_vouched_for
from mailsys.threads import NoThreads
from mailsys.wire.data import ContentScan
from mailsys.wire.smtp.commands import Mail
from mailsys.wire.smtp.grammar import Malformed, parse_greeting_name, parse_mailbox


@dataclass(frozen=True, slots=True)
class Said:
    """What one recipient would be answered.  ``near`` are existing addresses that may be meant."""

    address: str
    reply: Reply
    why: tuple[str, ...] = ()
    accounts: tuple[Address, ...] = ()
    rooms: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    delivery: str = ""
    is_outside: bool = False
    forwarded: tuple[Address, ...] = ()
    sent_as: Address | None = None  # with which reverse-path it is forwarded
    folder: str = "INBOX"

    @property
    def where(self) -> str:
        """Where its mail would be."""
        if self.delivery:
            return f"handed on by the delivery {self.delivery}"
        if self.is_outside:
            return "put into the queue, for another host"
        places = []
        if self.accounts:
            names = ", ".join(account.display() for account in self.accounts)
            places.append(f"delivered to {names}, folder {self.folder}")
        if self.forwarded:
            names = ", ".join(address.display() for address in self.forwarded)
            places.append(f"forwarded to {names} as from {render_path(self.sent_as)}")
        return ", and ".join(places)

    @property
    def outcome(self) -> str:
        """One word."""
        match outcome_of(self.reply, self.where):
            case Delivered():
                return "delivered"
            case Deferred():
                return "deferred"
            case Failed():
                return "refused"


@dataclass(slots=True)
class DryRun:
    """Goes through a session; ``verdict`` is on the message as a whole, ``checked`` what judges said."""

    configuration: Configuration
    session: Session
    admission: Admission
    first_domain: Callable[[], Awaitable[str | None]]
    rewriting: SenderRewriting
    sender: Address | None = None
    octets: int | None = None
    said: list[Said] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict(Disposition.ACCEPT))
    _deferred: list[Address] = field(default_factory=list)  # for whom the client would come again

    async def ask(
        self, sender: str, recipients: Sequence[str], content: Content | None, size: int | None
    ) -> None:
        """Ask about the connection, the sender, each recipient and the message, in this order."""
        self.octets = content.size if content else size
        self._take(await self.admission.judges.connection(self.session))
        if self._goes_on:
            self._greet()
        if self._goes_on:
            await self._ask_about_sender(_spec(sender))
        if not self._goes_on:
            if not self.session.findings:
                await self._ask_all_the_same(_spec(sender))
            return
        transaction = self._transaction()
        for recipient in map(_spec, recipients):
            self.said.append(await self._ask_about(recipient, transaction))
        self.checked += transaction.checked
        if content is not None and (transaction.recipients or self._deferred):
            envelope = replace(transaction.envelope(), recipients=(*transaction.recipients, *self._deferred))
            self._take(
                _fault(content) or await self.admission.judges.message(self.session, envelope, content)
            )
        if self.verdict.disposition is Disposition.JUNK:
            self.said = [replace(said, folder=JUNK_FOLDER) for said in self.said]
        if self._goes_on and not may_leave(self.verdict):
            self.said = [_kept_here(said) for said in self.said]

    @property
    def _goes_on(self) -> bool:
        return self.verdict.disposition in (Disposition.ACCEPT, Disposition.JUNK)

    def _take(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.checked += verdict.checked

    def _greet(self) -> None:
        try:
            parse_greeting_name(self.session.greeting.encode(errors="replace"))
        except Malformed as fault:
            self._take(Verdict(Disposition.REJECT, "the name in HELO cannot be read", fault.reply))

    async def _ask_about_sender(self, text: str) -> None:
        if self.session.peer.service == "submission" and self.session.login is None:
            self._take(Verdict(Disposition.REJECT, "nobody has logged in (--login)", replies.LOGIN_NEEDED))
            return
        try:
            self.sender = parse_mailbox(text, replies.BAD_SENDER) if text else None
        except Malformed as fault:
            self._take(
                Verdict(Disposition.REJECT, f"the sender is no address: {fault_of(text)}", fault.reply)
            )
            return
        too_big = self._too_big()
        self._take(too_big or await self.admission.judges.sender(self.session, self.sender))

    async def _ask_all_the_same(self, text: str) -> None:
        """What the judges would say of a sender who does not get so far: RFC 7208 4.3 has even odd ones."""
        local_part, _, domain = text.rpartition("@")
        sender = Address(local_part or "postmaster", domain.lower()) if text else None
        self.checked += (await self.admission.judges.sender(self.session, sender)).checked

    def _too_big(self) -> Verdict | None:
        limit = self.configuration.limits.message_size
        if self.octets is None or self.octets <= limit:
            return None
        reason = f"the message has {self.octets} octets, and limits.message_size is {limit}"
        return Verdict(Disposition.REJECT, reason, replies.TOO_BIG)

    async def _ask_about(self, text: str, transaction: Transaction) -> Said:
        try:
            recipient = await self._recipient(text)
        except Malformed as fault:
            return Said(text, fault.reply, (fault_of(text),))
        reply, reason = await self.admission.admit(self.session, transaction, recipient)
        if reply == replies.TOO_MANY_RECIPIENTS and not reason:
            reason = f"limits.recipients is {self.admission.recipients}"
        if reply.is_transient:
            self._deferred.append(recipient)
        routed = transaction.recipients.get(recipient)
        accounts = tuple(routed.accounts) if routed else ()
        return Said(
            str(recipient),
            reply,
            routed.via if routed else ((reason,) if reason else ()),
            tuple(account.address for account in accounts),
            tuple(filter(None, map(self._room, accounts))),
            () if reply.is_positive else self._near(recipient),
            routed.delivery if routed else "",
            routed is not None and routed.is_outside,
            routed.forwarded if routed else (),
            await self._return_address(recipient) if routed and routed.forwarded else None,
        )

    async def _return_address(self, alias: Address) -> Address | None:
        return await return_address(
            self.admission.router,
            self.rewriting,
            self.sender,
            alias,
            is_vouched_for=is_vouched_for(self.admission, self.session, self.sender),
        )

    async def _recipient(self, text: str) -> Address:
        """RFC 5321 4.5.1: the bare ``postmaster`` is that of the first domain."""
        domain = await self.first_domain() if text.casefold() == "postmaster" else None
        return Address("postmaster", domain) if domain else parse_mailbox(text, replies.BAD_RECIPIENT)

    def _room(self, account: Account) -> str:
        """How full its mailbox is, in words; nothing without a quota."""
        try:
            used = used_octets(self.configuration, account)
        except OSError as error:
            return f"the mailbox of {account.address.display()} cannot be measured: {error.strerror}"
        if used is None:
            return ""
        of = size_in_words({"size": account.quota_bytes})
        return f"{account.address.display()} uses {size_in_words({'size': used})} of {of}"

    def _near(self, recipient: Address) -> tuple[str, ...]:
        try:
            found = near_addresses(Paths(self.configuration.data).accounts, recipient)
        except sqlite3.Error:
            return ()
        return tuple(address.display() for address in found)

    def _transaction(self) -> Transaction:
        # What a client would write that has such an address: SMTPUTF8.
        mail = Mail(self.sender, self.octets, smtputf8=True)
        collector = Collector(Disk(), NoThreads(), "", MessageMemory(PIECE_OCTETS))
        return Transaction("explain", mail, collector, self.configuration.limits.message_size)


def _spec(text: str) -> str:
    """What was pasted with its name or brackets, as in ``Ada <ada@example.org>``, without them."""
    if "<" not in text:
        return text
    found = parse_mailboxes(text.encode(errors="replace"), limit=1)
    return found[0].spec.decode(errors="replace") if found and found[0].spec else text.strip("<> ")


def _fault(content: Content) -> Verdict | None:
    """What is wrong with the octets themselves, as at the end of DATA."""
    scan = ContentScan()
    for piece in content.pieces():
        scan.feed(piece)
    fault = scan.fault()
    return Verdict(Disposition.REJECT, fault.value, FAULTS[fault]) if fault else None


def _kept_here(said: Said) -> Said:
    """As the end of the message would have it, when that may not be forwarded."""
    if not said.forwarded:
        return said
    reply = said.reply if said.accounts else replies.NOT_FORWARDED
    return replace(said, reply=reply, forwarded=(), sent_as=None)
