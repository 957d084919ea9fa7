"""What every delivery must do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from zope.interface.verify import verifyObject

from mailsys.extensions.fit import wrong_attempts
from mailsys.interfaces import IDelivery
from mailsys.message.content import Content, MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Delivered, Outcome
from mailsys.testing.samples import ENVELOPES, PLAIN, UnreadableContent, contents
from mailsys.testing.services import Asking


class DeliveryContract(Asking):
    """Give it a fixture ``delivery`` that can reach whatever it delivers to."""

    @pytest.fixture
    def delivery(self) -> IDelivery:
        """The delivery that is tested."""
        raise NotImplementedError

    def deliver(self, delivery: IDelivery, envelope: Envelope, content: Content) -> Sequence[Outcome]:
        """What became of each recipient."""
        recipients = envelope.recipients
        attempts = self.wait_for(delivery.deliver(envelope, content, recipients))
        assert wrong_attempts(recipients)(attempts) == ""
        return [attempts[recipient].outcome for recipient in recipients]

    def test_it_provides_the_interface(self, delivery: IDelivery) -> None:
        """Its method, with its arguments."""
        assert verifyObject(IDelivery, delivery)

    def test_a_plain_message_arrives(self, delivery: IDelivery) -> None:
        """And again: it knows nothing of the last one."""
        for _ in range(2):
            [outcome] = self.deliver(delivery, ENVELOPES[0], MemoryContent([PLAIN]))
            assert isinstance(outcome, Delivered), outcome

    def test_every_recipient_of_every_message_has_an_outcome(self, delivery: IDelivery) -> None:
        """Also of notices, of broken messages and of large ones."""
        for envelope in ENVELOPES:
            for content in contents():
                self.deliver(delivery, envelope, content)

    def test_a_message_that_cannot_be_read_is_not_delivered(self, delivery: IDelivery) -> None:
        """It fails or waits, and nothing is raised."""
        [outcome] = self.deliver(delivery, ENVELOPES[0], UnreadableContent())
        assert not isinstance(outcome, Delivered)
