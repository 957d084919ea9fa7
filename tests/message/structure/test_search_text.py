"""What a search looks at."""

import base64

import pytest
from mime import message

from mailsys.message.content import MemoryContent
from mailsys.message.structure.casemap import search_form
from mailsys.message.structure.scan import scan_octets
from mailsys.message.structure.search_text import body_text, find_texts

LETTER = message(
    """\
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from  far
 away
X-Note: here
Content-Type: multipart/mixed; boundary=a

preamble
--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Sch=F6ne =
Gr=FC=DFe
from the sea
--a
Content-Type: text/html; charset=utf-8

<p>Hel<b>lo</b> <i>you</i>
  there</p><a href="https://shop.example/42" title='a picture'>click</a>
--a
Content-Type: application/pdf; name="=?utf-8?q?Rechnung_M=C3=A4rz=2Epdf?="
Content-Disposition: attachment; filename*=iso-8859-1''M%E4rz%2Epdf
Content-Description: =?utf-8?q?f=C3=BCr?= you

JVBERi0xLjQ secret
--a
Content-Type: message/rfc822

Subject: forwarded
Content-Type: text/plain; charset=utf-16-be
Content-Transfer-Encoding: base64

"""
) + base64.encodebytes("Übermorgen".encode("utf-16-be"))


def found(needle, octets=LETTER):
    """Whether it is in the text, and in the body."""
    wanted = {search_form(needle)}
    text, body = find_texts(MemoryContent([octets]), scan_octets(octets), wanted, wanted)
    return bool(text), bool(body)


@pytest.mark.parametrize(
    "needle",
    [
        "SCHÖNE GRÜßE", "scho\u0308ne", "grüße from the sea", "hello you there", "shop.example/42",
        "A Picture", "rechnung märz.pdf", "März.pdf", "für you", "Subject: Forwarded", "übermorgen", "", "e",
    ],
)  # fmt: skip
def test_in_the_body(needle):
    assert found(needle) == (True, True)


@pytest.mark.parametrize("needle", ["grüße from far away", "x-note: here", "X-NOTE", "multipart/mixed"])
def test_in_the_header(needle):
    assert found(needle) == (True, False)


@pytest.mark.parametrize(
    "needle",
    [
        "JVBERi", "secret", "preamble", "<p>", "href", "schone", "away X-Note", "sea hello",
        "quoted-printable", "Ubermorgen",
    ],
)  # fmt: skip
def test_nowhere(needle):
    assert found(needle) == (False, False)


def test_a_word_is_found_wherever_the_pieces_are_cut(monkeypatch):
    text = "  ".join(f"w{number}örd" for number in range(60))
    octets = message(f"Subject: x\n\n{text}")
    for size in (1, 2, 7, 64):
        monkeypatch.setattr("mailsys.message.structure.search_text.READ_OCTETS", size)
        assert found("w7örd w8örd", octets) == (True, True)
        assert found("W59ÖRD", octets) == (True, True)
        assert found("w7ordw8ord", octets) == (False, False)
        words = "".join(body_text(MemoryContent([octets]), scan_octets(octets))).split()
        assert words == search_form(text).split()


def test_texts_of_unknown_charsets_are_searched_as_far_as_they_can_be():
    octets = b"Content-Type: text/plain; charset=unicode-escape\r\n\r\n\\u0041bc \xe4"
    assert found("\\u0041bc", octets) == (True, True)
    assert found("Abc", octets) == (False, False)


def test_nothing_more_is_read_once_all_is_found():
    class Counting(MemoryContent):
        reads = 0

        def read(self, offset, octets):
            Counting.reads += 1
            return super().read(offset, octets)

    octets = b"Subject: x\r\n\r\nneedle " + b"hay " * 100_000
    content = Counting([octets])
    assert find_texts(content, scan_octets(octets), {"NEEDLE"}, {"NEEDLE"}) == ({"NEEDLE"}, {"NEEDLE"})
    assert Counting.reads == 1
