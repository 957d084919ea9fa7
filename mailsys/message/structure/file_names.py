"""What a part is called, for people."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from mailsys.message.charsets import decode_text
from mailsys.message.encoded_words import decode_words
from mailsys.message.structure.parameters import Parameters, parse_disposition
from mailsys.message.structure.parts import Part


def names_of(part: Part) -> list[str]:
    """The names of its file, without duplicates, and its description; each one line."""
    disposition = part.headers.first(b"content-disposition")
    parameters = parse_disposition(disposition.unfolded)[1] if disposition else ()
    names = [*_values(parameters, b"filename"), *_values(part.parameters, b"name")]
    names.append(part.headers.text(b"content-description"))
    return [name for name in dict.fromkeys(names) if name]


def _values(parameters: Parameters, wanted: bytes) -> list[str]:
    found: list[str] = []
    for name, value in parameters:
        if name.lower() == wanted:
            found.append(decode_words(value))
        elif name.lower() == wanted + b"*":
            found.append(_decoded(value))
    return found


def _decoded(value: bytes) -> str:
    """RFC 2231 4: charset, language and the octets, most of them in percent signs."""
    charset, _, rest = value.partition(b"'")
    octets = unquote_to_bytes(rest.partition(b"'")[2] if b"'" in rest else value)
    text = decode_text(octets, charset.decode("ascii", "replace") or "utf-8")
    return decode_words((octets.decode("utf-8", "replace") if text is None else text).encode())
