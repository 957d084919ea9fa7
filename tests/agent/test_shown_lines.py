"""Nothing that strangers wrote moves a terminal: names, subjects, texts, names of files."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.agent.entry import Entry, Person, look_at
from mailsys.agent.lines import (
    PERSON_CHARACTERS,
    entry_json,
    entry_line,
    message_json,
    message_lines,
    person,
    text_lines,
)
from mailsys.agent.readable import read_message
from mailsys.control.read import show_all

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egpj.exe\u2066\x00\x7f\r\n\u2028"


ANN = Person("Ann", "ann@example.org")


def entry(sender=ANN, subject="Hello", words="first words", **more):
    return Entry(7, "42", sender, subject, None, 1234, words, **more)


def from_encoded(text):
    """A message whose every place says this text, encoded as strangers may."""
    octets = text.encode("utf-8", "replace")
    word = b"=?utf-8?q?" + b"".join(b"=%02X" % octet for octet in octets) + b"?="
    lines = [
        b"From: " + word + b" <ann@example.org>",
        b"To: " + word + b" <bob@example.org>",
        b"Subject: " + word,
        b"Content-Type: multipart/mixed; boundary=b",
        b"",
        b"--b",
        b"",
        octets,
        b"--b",
        b"Content-Type: text/html; charset=utf-8",
        b"",
        b"<p>" + octets + b"<a href='http://x/" + octets + b"'>y</a>",
        b"--b",
        b"Content-Type: application/pdf",
        b"Content-Disposition: attachment; filename*=utf-8''"
        + b"".join(b"%%%02X" % octet for octet in octets),
        b"",
        b"x",
        b"--b--",
    ]
    return b"\r\n".join([*lines, b""])


def assert_harmless(line):
    assert line.isprintable() or all(character.isprintable() or character.isspace() for character in line)
    assert not set(line) & set("\r\n\x0b\x0c\x1b\x1c\x1d\x1e\x85\u2028\u2029")


@pytest.mark.row(43)
@pytest.mark.row(57)
@pytest.mark.row(63)
@given(text=st.text(max_size=60) | st.just(EVIL))
def test_whatever_a_message_says_a_terminal_gets_only_what_can_be_seen(text):
    octets = from_encoded(text)
    message = read_message(octets)
    for line in message_lines(message):
        assert_harmless(line)
    looks = look_at(octets)
    assert_harmless(entry_line(entry(looks.sender, looks.subject, looks.preview)))
    assert_harmless(entry_line(entry(Person(text, text), text, text)))
    assert_harmless(json.dumps(message_json(1, message)))
    assert json.dumps(entry_json(entry(subject=text))).isascii()


@pytest.mark.row(43)
def test_an_address_stands_beside_each_name():
    assert person(Person("boss@ours.example", "x@evil.example")) == "boss@ours.example <x@evil.example>"
    assert person(Person("", "x@evil.example")) == "<x@evil.example>"
    line = person(Person("A" * 10_000, "x@evil.example"), PERSON_CHARACTERS)
    assert line.endswith("… <x@evil.example>")
    assert len(line) == PERSON_CHARACTERS


@pytest.mark.row(43)
def test_a_name_that_turns_the_direction_is_shown_as_it_is():
    assert person(Person("\u202egro.elpmaxe@ssob", "x@evil.example")).startswith(r"\u202egro")
    assert list(text_lines("a\u200bb\ufeff\u00adc\td\x1b[0m\r\nnext")) == [r"abc     d\x1b[0m", "next"]


def test_a_line_of_a_list():
    line = entry_line(entry(attachments=2, flags=frozenset()))
    assert line == "    7 N (no date)         Ann <ann@example.org>  Hello (+2)  first words"
    for flags in (frozenset({"\\seen"}), None):
        assert entry_line(entry(flags=flags)).startswith("    7   (no date)")
    assert "(nobody)  (no subject)" in entry_line(entry(None, "", ""))


def test_a_message_as_lines():
    octets = b"From: Ann <ann@example.org>\r\nCc: bob@example.org\r\nSubject: Hi\r\n\r\none\r\n\r\ntwo\r\n"
    assert list(message_lines(read_message(octets))) == [
        "From:    Ann <ann@example.org>",
        "Cc:      <bob@example.org>",
        "Date:    (no date)",
        "Subject: Hi",
        "",
        "one",
        "",
        "two",
    ]


def test_many_recipients_are_counted():
    octets = b"To: " + b", ".join(b"a%d@example.org" % number for number in range(80)) + b"\r\n\r\n"
    assert next(line for line in message_lines(read_message(octets)) if line.startswith("To")).endswith(
        "<a49@example.org> and 30 more"
    )


def test_a_terminal_with_few_characters():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    show_all(stream)
    print("Köln 5 €", file=stream, flush=True)
    assert stream.buffer.getvalue() == b"K\xf6ln 5 \\u20ac\n"
