"""Mail in the queue whose recipient lives here: the intake lays it, without a way over the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zope.interface import implementer

from mailsys.interfaces import (
    Acceptance,
    Account,
    Attempt,
    DirectoryUnavailable,
    IDelivery,
    IIntake,
    IMailDrop,
    IQuota,
    IRouter,
    MailboxAction,
    NotStored,
    QueueAction,
    Refused,
    ToDelivery,
    ToMailboxes,
)
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Body, Envelope
from mailsys.message.outcome import Deferred, Delivered, Outcome, Step, outcome_of
from mailsys.message.trace_fields import delivered_to_field, original_to_field, return_path_field

NO_FACTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Home:
    """What is needed to lay mail into mailboxes of this host."""

    router: IRouter
    intake: IIntake
    drop: IMailDrop
    quota: IQuota
    new_id: Callable[[], str]  # names for messages
    now: Callable[[], float]  # seconds since 1970
    deliveries: Mapping[str, IDelivery] = field(default_factory=dict)


@implementer(IDelivery)
class HomeOrAway:
    """``away`` takes what lives elsewhere; ``home`` is asked for anew at each attempt."""

    def __init__(self, home: Callable[[], Home], away: IDelivery) -> None:
        self._home = home
        self._away = away

    async def deliver(
        self, envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        """Each recipient at its own place."""
        home = self._home()
        attempts: dict[Address, Attempt] = {}
        elsewhere: list[Address] = []
        for recipient in recipients:
            attempt = await _at_home(home, replace(envelope, recipients=(recipient,)), content)
            if attempt is None:
                elsewhere.append(recipient)
            else:
                attempts[recipient] = attempt
        if elsewhere:
            attempts.update(await self._away.deliver(envelope, content, elsewhere))
        return attempts


async def _at_home(home: Home, envelope: Envelope, content: Content) -> Attempt | None:
    """Deliver to the envelope's only recipient; None when it is not for this host."""
    [recipient] = envelope.recipients
    try:
        route = await home.router.route(recipient)
    except DirectoryUnavailable:
        return _ended(Deferred(replies.LOCAL_ERROR))
    match route:
        case None:
            return None
        case Refused(reply):
            return _ended(outcome_of(reply, ""))
        case ToDelivery(name):
            if name not in home.deliveries:
                return _ended(Deferred(replies.LOCAL_ERROR))
            return (await home.deliveries[name].deliver(envelope, content, [recipient]))[recipient]
        case ToMailboxes(accounts, outside=()):
            return _ended(await _lay(home, envelope, content, accounts))
        case ToMailboxes(accounts, outside=outside):
            return await _lay_and_forward(home, envelope, content, accounts, outside)


async def _lay_and_forward(
    home: Home, envelope: Envelope, content: Content, accounts: Sequence[Account], outside: Sequence[Address]
) -> Attempt:
    """The recipient stands for others elsewhere, whose copy waits under a name of its own."""
    [recipient] = envelope.recipients
    new = replace(envelope, id=home.new_id())
    forwarded = replace(new, recipients=tuple(outside), forwarded=dict.fromkeys(outside, recipient))
    action = QueueAction(forwarded, home.now(), b"", content.size)
    outcome = await _lay(home, new, content, accounts, (action,), {"continues": envelope.id})
    said = f"forwarded as message {new.id}" if isinstance(outcome, Delivered) else ""
    return Attempt(outcome, Step.MESSAGE, said=said)


async def _lay(
    home: Home,
    envelope: Envelope,
    content: Content,
    accounts: Sequence[Account],
    forwarded: tuple[QueueAction, ...] = (),
    facts: Mapping[str, str] = NO_FACTS,
) -> Outcome:
    """A copy for each account that has room; when none has, the recipient waits for it.

    One who is forwarded does not wait: the mailboxes take the copy beyond their quotas.
    """
    held: list[tuple[Account, int]] = []
    used: dict[Address, int] = {}
    try:
        for account in accounts:
            if account.quota_bytes is not None and await home.quota.hold(account, content.size):
                held.append((account, content.size))
        with_room = [one for one in accounts if one.quota_bytes is None or one in [h for h, _ in held]]
        if not with_room and not forwarded:
            return Deferred(replies.MAILBOX_FULL)
        copies = tuple(_copy(home, envelope, content, account) for account in with_room or accounts)
        await home.intake.commit(Acceptance(envelope, (*copies, *forwarded), content, facts))
        used = {copy.account: len(copy.head) + content.size for copy in copies}
    except (NotStored, OSError) as error:
        return Deferred(replies.NO_STORAGE.with_text(f"{replies.NO_STORAGE.text}: {error}"))
    finally:
        for account, octets in held:
            home.quota.release(account, octets, used=used.get(account.address, 0))
    return Delivered("a mailbox of this host")


def _copy(home: Home, envelope: Envelope, content: Content, account: Account) -> MailboxAction:
    [recipient] = envelope.recipients
    head = return_path_field(envelope.reverse_path)
    head += delivered_to_field(account.address, smtputf8=envelope.smtputf8)
    if recipient != account.address:
        head += original_to_field(recipient, smtputf8=envelope.smtputf8)
    crlf = envelope.body is not Body.BINARY_MIME
    return home.drop.plan(account, recipient, head, content.size, crlf=crlf)


def _ended(outcome: Outcome) -> Attempt:
    return Attempt(outcome, Step.MESSAGE)
