"""ENVELOPE, BODY and BODYSTRUCTURE as clients get them."""

import pytest
from imap_lists import read_lists
from mime import message

from mailsys.message.structure.addresses import ADDRESSES
from mailsys.message.structure.body_forms import FORMS_OCTETS, body_forms
from mailsys.message.structure.envelope_form import ENVELOPE_OCTETS, envelope
from mailsys.message.structure.scan import scan_octets
from mailsys.message.structure.strings import as_ascii, nstring


def envelope_of(text):
    return envelope(scan_octets(message(text)).headers)


def forms_of(text):
    return body_forms(scan_octets(message(text)))


ANN = b'((NIL NIL "ann" "a.example"))'


def test_an_envelope():
    assert envelope_of(
        """\
Date: Mon, 7 Feb 1994 21:52:25 -0800
From: "Doe, John" <doe@a.example>
Sender: ann@a.example
To: Bob <bob@b.example>, team: ann@a.example, "C" <c@c.example>;
Cc: undisclosed-recipients:;
Subject: A subject,
\tin two lines
In-Reply-To: <1@a.example>
Message-ID: <2@a.example>

"""
    ) == (
        b'("Mon, 7 Feb 1994 21:52:25 -0800" "A subject,\tin two lines" (("Doe, John" NIL "doe" "a.example"))'
        b' ((NIL NIL "ann" "a.example")) (("Doe, John" NIL "doe" "a.example"))'
        b' (("Bob" NIL "bob" "b.example")(NIL NIL "team" NIL)(NIL NIL "ann" "a.example")'
        b'("C" NIL "c" "c.example")(NIL NIL NIL NIL))'
        b' ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))'
        b' NIL "<1@a.example>" "<2@a.example>")'
    )


def test_what_is_missing_is_nil_and_what_is_empty_is_empty():
    assert envelope_of("\n") == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
    assert envelope_of("Subject:\nTo:\n\n") == b'(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)'


@pytest.mark.row(42)
@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        (b"root", b'((NIL NIL "root" "MISSING_DOMAIN"))'),
        (b"two words", b'(("two words" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))'),
        (b"<>", b'((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))'),
        (b'"a \\"b\\"" <x@y>', b'(("a \\"b\\"" NIL "x" "y"))'),
        (b'"a b"@y', b'((NIL NIL "a b" "y"))'),
        (b"<@r1,@r2:x@y>", b'((NIL NIL "x" "y"))'),
        (b"x@[192.0.2.1] (Name)", b'(("Name" NIL "x" "[192.0.2.1]"))'),
        (b"x@y,, <z@y>", b'((NIL NIL "x" "y")(NIL NIL "z" "y"))'),
        (b"=?utf-8?q?a=2Cb?= <x@y>", b'(("=?utf-8?q?a=2Cb?=" NIL "x" "y"))'),
        (b"J\xc3\xb6rg <x@y>", b'(("J\xc3\xb6rg" NIL "x" "y"))'),
        (b"J\xf6rg <x@y>", b'(({4}\r\nJ\xf6rg NIL "x" "y"))'),
    ],
)
def test_an_address_is_never_taken_for_a_group(value, addresses):
    form = envelope_of(b"To: " + value + b"\n\n")
    assert b" " + addresses + b" NIL" in form
    assert read_lists(form)[0][5] == read_lists(addresses)[0]


def test_all_lists_count_but_only_the_first_text():
    form = envelope_of("To: ann@a.example\nSubject: one\nTo: bob@b.example\nSubject: two\n\n")
    assert b'"one"' in form
    assert b'"two"' not in form
    assert b'(NIL NIL "ann" "a.example")(NIL NIL "bob" "b.example")' in form


def test_text_has_lines_and_a_charset():
    body, structure = forms_of("Subject: x\n\none\ntwo\n")
    assert body == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2)'
    assert structure == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)'


def test_everything_that_a_part_may_say():
    _, structure = forms_of(
        """\
Content-Type: APPLICATION/PDF; name="a;b.pdf"; title*0*=utf-8''%C3%A4; title*1=" end"; x
Content-Transfer-Encoding: BASE64 (of course)
Content-ID: <id@a.example>
Content-Description: a "file"
Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
Content-Disposition: attachment (c); filename=two words.pdf; size = 3
Content-Language: de, en-GB
Content-Location: http://a.example/x

AAAA
"""
    )
    assert structure == (
        b'("APPLICATION" "PDF" ("name" "a;b.pdf" "title*" "utf-8\'\'%C3%A4%20end") "<id@a.example>"'
        b' "a \\"file\\"" "BASE64" 6 "Q2hlY2sgSW50ZWdyaXR5IQ=="'
        b' ("attachment" ("filename" "two words.pdf" "size" "3")) ("de" "en-GB") "http://a.example/x")'
    )


MIXED = """\
Content-Type: multipart/mixed; boundary=cut
Content-Language: de

--cut

one
--cut
Content-Type: message/rfc822

From: ann@a.example
Subject: inner

two
--cut--
"""


def test_a_multipart_with_a_message():
    body, structure = forms_of(MIXED)
    text = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0'
    inner = b'(NIL "inner" %s %s %s NIL NIL NIL NIL NIL)' % (ANN, ANN, ANN)
    start = b'("message" "rfc822" NIL NIL NIL "7bit" 42 ' + inner
    assert body == b'(%s)%s %s) 3) "mixed")' % (text, start, text)
    assert structure == (
        b"(%s NIL NIL NIL NIL)%s %s NIL NIL NIL NIL) 3 NIL NIL NIL NIL)"
        b' "mixed" ("boundary" "cut") NIL ("de") NIL)' % (text, start, text)
    )


def test_an_empty_multipart_is_told_with_an_empty_text():
    body, _ = forms_of("Content-Type: multipart/related; boundary=x\n\nnothing\n")
    assert body == b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0) "related")'


def test_what_is_too_deep_is_told_as_octets():
    deep = b"Content-Type: message/rfc822\n\n" * 101
    body, structure = forms_of(deep)
    assert body.count(b'"message" "rfc822"') == 100
    assert b'("application" "octet-stream" NIL NIL NIL "7bit" 0)' in body
    read_lists(structure)


def test_of_a_list_a_thousand_addresses_are_told():
    [form] = read_lists(envelope_of(b"To: " + b"a@b.example," * 1500 + b"\n\n"))
    assert form[5] == [[None, None, b"a", b"b.example"]] * ADDRESSES


@pytest.mark.parametrize(
    "header",
    [
        b"".join(b"%s: %s\n" % (name, b"x," * 15_000) for name in (b"From", b"To", b"Cc", b"Bcc")),
        b"".join(b"%s: %s\n" % (name, b"g: x@y;" * 5000) for name in (b"From", b"Sender", b"Cc", b"Bcc")),
        b"".join(b"%s: g: %s\n" % (name, b'"%s" <x@y>,' % (b"n" * 900) * 100) for name in (b"From", b"To")),
        b"To: %s <x@y>, z@y\n" % (b"n" * 95_000),
        b"".join(
            b"%s: %s\n" % (n, b"x" * 60_000) for n in (b"Date", b"Subject", b"In-Reply-To", b"Message-ID")
        ),
    ],
)
def test_an_envelope_has_a_largest_size_and_stays_well_formed(header):
    form = envelope_of(header + b"\n")
    assert len(form) <= ENVELOPE_OCTETS
    [fields] = read_lists(form)
    assert len(fields) == 10
    for addresses in fields[2:8]:
        if isinstance(addresses, list):
            assert 0 < len(addresses) <= 2 * ADDRESSES
            begun = sum(a[2] == b"g" and a[3] is None for a in addresses)
            assert begun == sum(a[2] is None for a in addresses)  # each group ends


def test_nested_messages_cannot_make_forms_larger_than_their_bound():
    level = b"From: %s\nContent-Type: message/rfc822\n\n" % (b"a," * 1000)
    body, structure = forms_of(level * 94 + b"x\n")
    assert len(body) < len(structure) <= FORMS_OCTETS
    assert body.count(b'"message" "rfc822"') > 2
    assert body.count(b'"application" "octet-stream"') == 1
    read_lists(body)
    read_lists(structure)


def test_many_parts_cannot_make_forms_larger_than_their_bound():
    parts = b"--x\nContent-Type: image/png; name=a\nContent-Transfer-Encoding: base64\n\nAAAA\n" * 3000
    body, structure = forms_of(b"Content-Type: multipart/mixed; boundary=x\n\n" + parts)
    assert FORMS_OCTETS - 1000 < len(structure) <= FORMS_OCTETS
    [told] = read_lists(structure)
    assert told[0] == [b"image", b"png", [b"name", b"a"], *told[0][3:]]
    assert told[0][5] == b"base64"
    assert len(read_lists(body)[0]) == sum(isinstance(part, list) for part in told[:-4]) + 1


def test_a_part_of_which_too_much_is_said_is_told_as_octets():
    _, structure = forms_of(
        b"Content-Transfer-Encoding: base64\nContent-Description: " + b"d" * FORMS_OCTETS + b"\n\nAAAA\n"
    )
    assert structure == b'("application" "octet-stream" NIL NIL NIL "base64" 6 NIL NIL NIL NIL)'


@pytest.mark.row(36)
def test_parameters_are_bounded():
    segments = "".join(f";\n name*{n}=a" for n in range(5000))
    many = "".join(f";\n p{n}=a" for n in range(5000))
    assert forms_of(f"Content-Type: text/plain{segments}\n\n")[0].count(b"a") < 300
    assert read_lists(forms_of(f"Content-Type: text/plain{many}\n\n")[0])[0][2][-4:-2] == [b"p199", b"a"]


def test_without_utf8_text_beyond_ascii_is_a_literal():
    form = envelope_of('From: Jörg <x@y>\nSubject: \\ "ü"\n\n')
    assert b'"J\xc3\xb6rg"' in form
    plain = as_ascii(form)
    assert read_lists(plain) == read_lists(form)
    assert b'{10}\r\n\\ "\xc3\xbc"' not in plain  # the octets count, not the letters
    assert b'{6}\r\n\\ "\xc3\xbc" ' in plain
    assert b"{5}\r\nJ\xc3\xb6rg NIL" in plain


def test_what_looks_like_a_string_within_a_literal_stays():
    form = b'({12}\r\n\xff "\xc3\xbc" \\"{3 "\xc3\xbc")'
    assert as_ascii(form) == b'({12}\r\n\xff "\xc3\xbc" \\"{3 {2}\r\n\xc3\xbc)'


def test_a_client_that_knows_no_utf8_hears_of_no_message_global():
    _, structure = forms_of("Content-Type: message/global\n\nSubject: ü\n\nx")
    assert b'"message" "global"' in structure
    assert as_ascii(structure).startswith(
        b'("message" "rfc822" NIL NIL NIL "7bit" 16 (NIL {2}\r\n\xc3\xbc NIL'
    )


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, b"NIL"),
        (b"", b'""'),
        (b'a"\\b', b'"a\\"\\\\b"'),
        (b"a\rb", b"{3}\r\na\rb"),
        (b"a\0b", b"{3}\r\na?b"),
        (b"\xc3", b"{1}\r\n\xc3"),
        (b"x" * 1001, b"{1001}\r\n" + b"x" * 1001),
    ],
)
def test_strings(value, form):
    assert nstring(value) == form
