"""An envelope as it lies in log and queue, and back."""

import json

import pytest

from mailsys.message.address import Address, parse_address
from mailsys.message.envelope import Body, Envelope, NoticeWish, Notify, Return
from mailsys.message.envelope_json import describe, read

ANN, BOB = parse_address("ann@example.org"), Address('b@"b', "example.net")


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("m.1", ANN, (BOB,)),
        Envelope("m.1", ANN, (BOB,), is_vouched_for=True),
        Envelope("m.1", ANN, (BOB,), forwarded={BOB: ANN}),
        Envelope("m.1", None, (ANN, BOB), Body.BINARY_MIME, smtputf8=True),
        Envelope("m.1", Address("jürgen", "xn--bcher-kva.example"), (ANN,), Body.EIGHT_BIT_MIME, True),
        Envelope(
            "m.1",
            ANN,
            (ANN, BOB),
            notice_return=Return.HEADERS,
            notice_id="my id",
            wishes={
                ANN: NoticeWish(frozenset({Notify.NEVER})),
                BOB: NoticeWish(frozenset({Notify.FAILURE, Notify.DELAY}), "rfc822;info@example.net"),
            },
        ),
    ],
    ids=["plain", "vouched for", "forwarded", "a notice", "UTF-8", "with wishes"],
)
def test_there_and_back(envelope):
    assert read(json.loads(json.dumps(describe(envelope)))) == envelope


def test_what_is_no_envelope():
    for described in ({}, {"id": "m.1", "from": None, "to": [1], "body": "7BIT", "smtputf8": False}):
        with pytest.raises((KeyError, AttributeError)):
            read(described)
    with pytest.raises(ValueError, match="9BIT"):
        read({"id": "m.1", "from": None, "to": [], "body": "9BIT", "smtputf8": False})
