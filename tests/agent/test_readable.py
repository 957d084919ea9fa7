"""Messages as text for people: which texts are shown, what is attached, HTML that can be read."""

from email.message import EmailMessage

import pytest

from mailsys.agent.entry import Person, look_at
from mailsys.agent.html import html_lines
from mailsys.agent.readable import Attachment, read_message

PDF = Attachment("plän.pdf", "application/pdf", 8)


def written(text="plain words\n", **fields):
    message = EmailMessage()
    message["From"] = "Ann Smith <ann@example.org>"
    message["To"] = "Bob <bob@example.org>, eve@example.org"
    message["Subject"] = "Grüße aus Köln"
    message["Date"] = "Mon, 23 Nov 2026 12:00:00 +0100"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def test_the_fields_and_a_text():
    message = read_message(written("Grüße\nund mehr\n").as_bytes())
    assert message.sender == [Person("Ann Smith", "ann@example.org")]
    assert message.to == [Person("Bob", "bob@example.org"), Person("", "eve@example.org")]
    assert (message.subject, message.text) == ("Grüße aus Köln", "Grüße\nund mehr")
    assert message.sent.isoformat() == "2026-11-23T11:00:00+00:00"
    assert list(message.attachments) == []


def test_of_alternatives_the_plain_one_and_what_is_attached_to_another():
    mail = written()
    mail.add_alternative("<p>the same as HTML</p>", subtype="html")
    mail.get_payload()[1].add_related(b"picture", "image", "png", cid="<a@b>", filename="logo.png")
    mail.add_attachment(b"%PDF", "application", "pdf", filename="plän.pdf")
    message = read_message(mail.as_bytes())
    assert message.text == "plain words"
    names = [(one.name, one.media_type) for one in message.attachments]
    assert names == [("logo.png", "image/png"), ("plän.pdf", "application/pdf")]


def test_html_where_there_is_nothing_else():
    mail = written()
    mail.set_content("<html><head><title>no</title></head><p>one<p>two</html>", subtype="html")
    assert read_message(mail.as_bytes()).text == "one\n\ntwo"


@pytest.mark.parametrize(
    ("charset", "text"), [("iso-8859-1", "Köln"), ("koi8-r", "Привет"), ("shift_jis", "日本"), ("utf-8", "€")]
)
def test_charsets(charset, text):
    octets = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + text.encode(charset)
    assert read_message(octets).text == text
    assert look_at(octets).preview == text


def test_an_attached_text_and_an_attached_message_are_not_shown():
    mail = written()
    mail.add_attachment("a list", filename="list.txt")
    mail.add_attachment(written("forwarded\n"))
    message = read_message(mail.as_bytes())
    assert message.text == "plain words"
    names = [(one.name, one.media_type) for one in message.attachments]
    assert names == [("list.txt", "text/plain"), ("Grüße aus Köln", "message/rfc822")]


def test_messages_that_are_hardly_any():
    for octets in (
        b"",
        b"\r\n",
        b"\xff\xfe\0",
        b"Content-Type: multipart/alternative\r\n\r\nx",
        b"no header",
    ):
        message = read_message(octets)
        assert (message.sender, message.subject, message.sent) == ([], "", None)
    assert read_message(b"Date: Fri, 31 Dec 9999 00:00:00 -2359\r\n\r\n").sent is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b<div>c</div>d", "a\nb\nc\nd"),
        ("<h1>Title</h1><p>one\n two</p>", "Title\n\none two"),
        ("<ul><li>x<li>y</ul>z", "- x\n- y\n\nz"),
        (
            'see <a href="https://evil.test/?a=1&amp;b">our bank</a>.',
            "see our bank [https://evil.test/?a=1&b].",
        ),
        ('<a href="javascript:x()">a</a><a name="b">c</a>', "ac"),
        ('<img src="https://track.test/1.gif" alt="Logo"><img src="x">', "[Logo]"),
        ("<script>alert(1)</script><style>p{}</style><!-- no -->x &lt;b&gt; &amp; y", "x <b> & y"),
        ("a\ue000b\ue001c", "a b c"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<p", ""),
        ("x <!-- no end", "x"),
    ],
)
def test_html(source, text):
    assert html_lines(source) == text


def test_html_is_wrapped():
    assert max(map(len, html_lines("<p>" + "word " * 500).splitlines())) <= 78


@pytest.mark.parametrize(
    "piece", ["<a href=", "<!--", "<p>", "<script>", "&amp;", '<a href="', "<li><a href=x>"]
)
def test_html_in_linear_time(piece):
    html_lines(piece * 50_000)
