"""Mail in the queue whose recipient lives here: the intake lays it, without a way over the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from zope.interface import implementer

from mailsys.interfaces import Attempt, DirectoryUnavailable, IDelivery, Refused, ToDelivery, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Failed, Outcome, Step, outcome_of
from mailsys.queue.laying import Home, Laying

# So often may a message be forwarded from here to here: each time adds a number to its id.  Aliases lead
# to their end at once, so it is a plugin's router that goes in a circle.
MOST_TURNS = 4


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
        served: set[Address] = set()
        numbers = {one: number for number, one in enumerate(envelope.recipients, 1)}
        for recipient in recipients:
            name = f"{envelope.id}.{numbers[recipient]}"
            part = Laying(home, replace(envelope, recipients=(recipient,)), content, name, served)
            attempt = await _at_home(part, recipient)
            if attempt is None:
                elsewhere.append(recipient)
            else:
                attempts[recipient] = attempt
        if elsewhere:
            attempts.update(await self._away.deliver(envelope, content, elsewhere))
        return attempts


async def _at_home(part: Laying, recipient: Address) -> Attempt | None:
    """Deliver to the only recipient of a part; None when it is not for this host."""
    home = part.home
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
            delivery = home.deliveries[name]
            return (await delivery.deliver(part.envelope, part.content, [recipient]))[recipient]
        case ToMailboxes(accounts, outside=()):
            return _ended(await part.lay(accounts))
        case ToMailboxes() if part.envelope.id.count(".") > MOST_TURNS:
            return _ended(Failed(replies.ALIAS_LOOP))
        case ToMailboxes(accounts, outside=outside):
            outcome = await part.lay_and_forward(accounts, outside)
            said = f"forwarded as message {part.name}" if isinstance(outcome, Delivered) else ""
            # Without a mailbox here it is that message which tells of success.
            return replace(_ended(outcome), said=said, hands_on_notices=not accounts)


def _ended(outcome: Outcome) -> Attempt:
    return Attempt(outcome, Step.MESSAGE)
