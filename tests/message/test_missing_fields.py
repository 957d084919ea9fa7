"""What is put in front of a message that lacks Date or Message-ID."""

import pytest

from mailsys.message.content import MemoryContent
from mailsys.message.missing_fields import missing_fields

NOW = 1795447560.9  # Mon, 23 Nov 2026 15:26:00 UTC
DATE = b"Date: Mon, 23 Nov 2026 15:26:00 +0000\r\n"
MESSAGE_ID = b"Message-ID: <k3Jd9@mx.example.org>\r\n"


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (b"From: a@b\r\n", DATE + MESSAGE_ID),
        (b"From: a@b\r\ndate: yesterday\r\n", MESSAGE_ID),
        (b"MESSAGE-ID : <x@y>\r\n", DATE),
        (b"Date: x\r\nMessage-Id: y\r\n", b""),
        (b"Resent-Date: x\r\nX-Message-ID: y\r\n", DATE + MESSAGE_ID),
        (b"", DATE + MESSAGE_ID),
        (b"X: " + b"x" * 300_000 + b"\r\n", b""),
    ],
    ids=["none", "a date", "an id", "both", "others", "nothing", "too much to tell"],
)
def test_each_only_where_it_is_missing(header, fields):
    content = MemoryContent([header + b"\r\nDate: in the body\r\nMessage-ID: too\r\n"])
    assert missing_fields(content, "k3Jd9", "mx.example.org", NOW) == fields
