"""What an index keeps of a message."""

import datetime

import pytest
from mime import message

from mailsys.message.content import FileContent, MemoryContent
from mailsys.message.structure.casemap import casemap, search_form
from mailsys.message.structure.dates import parse_date
from mailsys.message.structure.describe import describe, describe_octets
from mailsys.message.structure.preview import PREVIEW_CHARACTERS
from mailsys.message.structure.subjects import base_subject


def described(text):
    return describe_octets(message(text))


LETTER = """\
Date: Mon, 7 Feb 1994 23:52:25 -0800
From: =?utf-8?q?J=C3=B6rg?= <joerg@a.example>
To: "Doe, John" <doe@b.example>, ann@a.example
Cc: team: carol@a.example;
Subject: Re: [list] =?utf-8?q?Gr=C3=BC=C3=9Fe?=  (fwd)
Message-ID: < 2@a.example >
References: <0@a.example>
 <1@a.example>
In-Reply-To: <9@a.example>

Dear John,

> What did you say?

I said   hello.
"""


def test_columns():
    found = described(LETTER)
    assert found.wire_size == len(message(LETTER))
    assert found.sent == datetime.datetime(1994, 2, 8, 7, 52, 25, tzinfo=datetime.UTC).timestamp()
    assert found.sent_day == datetime.date(1994, 2, 7).toordinal()
    assert found.subject == search_form("re: [list] grüße (fwd)")
    assert found.base_subject == casemap("grüße")
    assert found.from_ == casemap("JÖRG <joerg@a.example>")
    assert found.to == casemap('"doe, john" <doe@b.example>, ann@a.example')
    assert (found.sort_from, found.sort_to, found.sort_cc) == ("JOERG", "DOE", "CAROL")
    assert (found.display_from, found.display_to) == (casemap("jörg"), "DOE, JOHN")
    assert (found.message_id, found.references) == ("2@a.example", "0@a.example 1@a.example")
    assert found.preview == "Dear John, I said hello."
    assert found.envelope.startswith(b'("Mon, 7 Feb 1994')
    assert found.body_structure.startswith(b'("text" "plain"')


def test_nothing_is_known_of_an_empty_message():
    found = describe_octets(b"")
    assert found._replace(envelope=b"", body=b"", body_structure=b"") == (
        (0, b"", b"", b"", "", None, None) + ("",) * 13
    )


def test_without_references_the_first_of_in_reply_to_counts():
    assert described("In-Reply-To: Ann's <1@a> of <2@a>\n\n").references == "1@a"


def test_references_are_bounded():
    found = described(
        "References: " + "\n ".join(f"<{n}@a>" for n in range(1000)) + "\n\n"
    ).references.split()
    assert (len(found), found[0], found[1], found[-1]) == (100, "0@a", "901@a", "999@a")


def test_a_large_message_in_a_file_is_described_like_a_small_one(tmp_path):
    octets = message(LETTER) + b"x" * 600_000
    path = tmp_path / "message"
    path.write_bytes(octets)
    assert describe(FileContent(str(path), len(octets))) == describe_octets(octets)
    assert describe(MemoryContent([octets[:9], octets[9:]])) == describe_octets(octets)


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        ("hello", "hello", False),
        ("Re: hello", "hello", True),
        ("RE [2] : Fwd:  FW: hello  there (fwd) ", "hello there", True),
        ("[list] hello", "hello", False),
        ("[list] Re: [other] hello", "hello", True),
        ("[only]", "[only]", False),
        ("Re: [only]", "[only]", True),
        ("[fwd: [list] Re: hello]", "hello", True),
        ("re:", "", True),
        ("really: no", "really: no", False),
        ("(fwd)", "", True),
        ("\ta\r\n b ", "a b", False),
    ],
)
def test_base_subjects(subject, base, is_reply):
    assert base_subject(subject) == (base, is_reply)


@pytest.mark.parametrize(
    ("value", "iso", "day"),
    [
        (b"Mon, 7 Feb 1994 23:52:25 -0800 (PST)", "1994-02-08T07:52:25", "1994-02-07"),
        (b" 7 Feb 94 23:52 PST", "1994-02-08T07:52:00", "1994-02-07"),
        (b"Tue, 1-Jul-2003 10:52:37 +0200", "2003-07-01T08:52:37", "2003-07-01"),
        (b"1 Jan 2038 00:00:00 +0000", "2038-01-01T00:00:00", "2038-01-01"),
        (b"Thu, 31 Dec 9999 23:59:60 GMT", "9999-12-31T23:59:60", "9999-12-31"),
        (b"1 January 1900", "1900-01-01T00:00:00", "1900-01-01"),
        (b"Wed, 02 Feb 105 10:00:00 GMT", "2005-02-02T10:00:00", "2005-02-02"),
    ],
)
@pytest.mark.row(54)
def test_dates(value, iso, day):
    seconds, ordinal = parse_date(value)
    whole, leap = iso.replace(":60", ":59"), iso.endswith(":60")
    expected = (datetime.datetime.fromisoformat(whole) - datetime.datetime(1970, 1, 1)).total_seconds()
    assert seconds == expected + leap
    assert ordinal == datetime.date.fromisoformat(day).toordinal()


@pytest.mark.parametrize(
    "value", [b"", b"soon", b"31 Feb 2020 10:00:00", b"1 Foo 2020", b"1 Jan 2020 25:00:00"]
)
def test_what_is_no_date(value):
    assert parse_date(value) is None


@pytest.mark.parametrize(
    "same",
    [
        ("ÄÖÜ", "äöü"),
        ("ﬁ", "fi"),
        ("A\u0308", "ä"),
        ("\uff21\uff22", "ab"),
        ("ǆ", "ǅ"),
        ("\u03c3", "\u03a3"),
        ("ß", "ß"),
    ],
)
def test_the_same_in_any_case(same):
    assert casemap(same[0]) == casemap(same[1])


def test_different_letters_stay_different():
    assert casemap("ß") != casemap("ss")
    assert casemap("é") != casemap("e")


def preview_of(text):
    return described(text).preview


def test_previews_of_html():
    assert (
        preview_of(
            "Content-Type: text/html; charset=utf-8\n\n<html><head><title>no</title><style>p {}</style>"
            "</head><!-- no --><body><p>Grü&szlig;e, <b>bo</b>ld &#119; &#x1F600; &unknown; 1 < 2</p>"
            "<script>no</script>"
        )
        == "Grüße, bold w 😀 &unknown; 1 < 2"
    )


def test_a_preview_is_of_the_first_text_that_says_something():
    alternative = (
        "Content-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: text/plain\nContent-Disposition: attachment\n\nattached\n"
        "--x\nContent-Type: text/plain\n\n \n"
        "--x\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+c2FpZDwvYj4=\n--x--\n"
    )
    assert preview_of(alternative) == "said"


def test_a_preview_has_a_bound_and_ends_with_a_word():
    found = preview_of("\n" + "word " * 1000)
    assert len(found) == PREVIEW_CHARACTERS - 1
    assert found.endswith("word")


def test_a_preview_says_something_of_every_charset():
    latin = b"Content-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe"
    unknown = b"Content-Type: text/plain; charset=x-none\n\nGr\xfc\xdfe"
    assert preview_of(latin) == "Grüße"
    assert preview_of(unknown) == "Gr\ufffd\ufffde"
