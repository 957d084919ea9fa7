import pytest

from mailsys.wire.imap.fetch import Section, Text
from mailsys.wire.imap.urls import BadUrl, MessageUrl, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/Drafts;UIDVALIDITY=385759045/;UID=20", MessageUrl("Drafts", 385759045, 20, Section())),
        (
            "/inbox/;UID=20/;SECTION=1.2.MIME",
            MessageUrl("INBOX", None, 20, Section((1, 2), Text.MIME)),
        ),
        (
            "/INBOX;UIDVALIDITY=1/;uid=20/;section=HEADER",
            MessageUrl("INBOX", 1, 20, Section(text=Text.HEADER)),
        ),
        (
            "/INBOX/;UID=2/;SECTION=HEADER.FIELDS%20(To)",
            MessageUrl("INBOX", None, 2, Section((), Text.FIELDS, (b"to",))),
        ),
        ("/Entw%C3%BCrfe/a%20b/;UID=2", MessageUrl("Entwürfe/a b", None, 2, Section())),
        (";UID=2/;SECTION=TEXT/;PARTIAL=5.10", MessageUrl("", None, 2, Section(text=Text.TEXT), 5, 10)),
        ("/;UID=2/;PARTIAL=5", MessageUrl("", None, 2, Section(), 5)),
    ],
)
def test_urls(text, url):
    assert parse_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "/INBOX", "/INBOX/;UID=0", "/INBOX/;UID=1/;SECTION=X", "imap://host/INBOX/;UID=1", "/%FF/;UID=1",
     "/INBOX/;UID=1/;PARTIAL=x", "/INBOX/;UID=1?x", "//host/INBOX/;UID=1;", "/a;UIDVALIDITY=0/;UID=1"],
)  # fmt: skip
def test_what_is_none(text):
    with pytest.raises(BadUrl):
        parse_url(text)
