"""What a reply means for its recipient."""

import pytest

from mailsys.message import reply as replies
from mailsys.message.outcome import Deferred, Delivered, Failed, outcome_of


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (replies.RECIPIENT_OK, Delivered("INBOX")),
        (replies.MAILBOX_FULL, Deferred(replies.MAILBOX_FULL)),
        (replies.NO_SUCH_USER, Failed(replies.NO_SUCH_USER)),
    ],
)
def test_each_class_of_reply_is_one_outcome(reply, outcome):
    assert outcome_of(reply, "INBOX") == outcome
