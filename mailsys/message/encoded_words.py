"""Header text for people: unfolded, encoded words decoded (RFC 2047, RFC 2231 section 5, RFC 6532).

Whatever a stranger wrote, there is a result: a word in an unknown charset or with a broken
encoding stays as it stands, octets that are no UTF-8 become U+FFFD, and control characters (also
those that come out of a word) become spaces, so that a decoded text is always one line.
"""

from __future__ import annotations

import binascii
import re

from mailsys.message.charsets import codec_for, decode_text

TEXT_OCTETS = 64 * 1024  # What is longer is cut before it is decoded; nobody reads such a subject.

# RFC 2047 section 2: encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
# Its limit of 75 octets is widely ignored, and spaces in Q words are seen often enough.
ENCODED_WORD = re.compile(rb"=\?([!->@-~]{1,64})\?([BbQq])\?([^?\r\n]*+)\?=")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def unfold(value: bytes) -> bytes:
    """The value as one line (RFC 5322 2.2.3): line ends before white space go, the white space stays."""
    return _FOLD.sub(b"", value) if b"\n" in value else value


def decode_words(value: bytes) -> str:
    """The value as text for people."""
    line = unfold(value[:TEXT_OCTETS])
    text = _decode(line) if b"=?" in line else _raw(line)
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def _raw(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _decode(line: bytes) -> str:
    """Decode the words of a line.

    Neighbours of one charset are decoded together: many programs cut a character between words.
    """
    parts: list[str] = []
    charset, waiting = b"", bytearray()  # of the words that were read and not yet decoded
    done = 0
    for match in ENCODED_WORD.finditer(line):
        between = line[done : match.start()]
        done = match.end()
        word_charset = match[1].lower()
        octets = _octets(match[2], match[3]) if _is_known(word_charset) else None
        if octets is not None and word_charset == charset and not between.strip():
            waiting += octets
            continue
        parts.append(_text(charset, waiting))
        # RFC 2047 6.2: white space between two words is not shown.
        if between.strip() or not charset or octets is None:
            parts.append(_raw(between))
        if octets is None:
            parts.append(_raw(match[0]))
        charset, waiting = (b"", bytearray()) if octets is None else (word_charset, bytearray(octets))
    parts += _text(charset, waiting), _raw(line[done:])
    return "".join(parts)


def _is_known(charset: bytes) -> bool:
    return codec_for(_name(charset)) is not None


def _text(charset: bytes, octets: bytearray) -> str:
    return (decode_text(octets, _name(charset)) or "") if octets else ""


def _name(charset: bytes) -> str:
    # RFC 2231 section 5: "*" and a language may follow the charset.
    return charset.partition(b"*")[0].decode("ascii")


def _octets(encoding: bytes, text: bytes) -> bytes | None:
    """What an encoded-text stands for, or None when it is broken."""
    if encoding in b"Qq":
        return binascii.a2b_qp(text, header=True)
    try:
        return binascii.a2b_base64(text + b"==")
    except binascii.Error:
        return None
