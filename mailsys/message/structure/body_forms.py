"""BODY and BODYSTRUCTURE (RFC 9051 7.5.2, RFC 3501 7.4.2)."""

from __future__ import annotations

import re

from mailsys.message.headers import Headers
from mailsys.message.structure.envelope_form import envelope, value_of
from mailsys.message.structure.parameters import Parameters, parse_disposition
from mailsys.message.structure.parts import Kind, Part
from mailsys.message.structure.strings import NIL, nstring, string

LANGUAGES = 50
_LANGUAGE = re.compile(rb"[A-Za-z0-9-]{1,64}")
_US_ASCII = (b"charset", b"us-ascii")
# A multipart that holds nothing is told as one that holds an empty text: the grammar knows no other.
_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'


def body_forms(part: Part) -> tuple[bytes, bytes]:
    """Both: without and with the extension data.  Recurses as deep as parts are told."""
    if part.kind is Kind.MULTIPART:
        return _multipart(part)
    headers = part.headers
    type_, subtype = part.type, part.subtype
    if part.kind is Kind.OPAQUE:
        type_, subtype = b"application", b"octet-stream"
    elif part.kind is Kind.MESSAGE:
        type_, subtype = type_.lower(), subtype.lower()  # what some clients compare with
    start = b"(%s %s %s %s %s %s %d" % (
        string(type_),
        string(subtype),
        _parameters(_with_charset(part)),
        nstring(value_of(headers, b"content-id")),
        nstring(value_of(headers, b"content-description")),
        string(encoding_of(headers) or b"7bit"),
        part.octets,
    )
    extension = b" %s%s)" % (nstring(value_of(headers, b"content-md5")), _extension(headers))
    if part.kind is Kind.MESSAGE:
        return _message(part, start, extension)
    if type_.lower() == b"text":
        start = b"%s %d" % (start, part.lines)
    return start + b")", start + extension


def encoding_of(headers: Headers) -> bytes:
    """The Content-Transfer-Encoding as written, without comments; empty when there is none."""
    value = value_of(headers, b"content-transfer-encoding")
    return (value.split() or [b""])[0].rstrip(b";") if value else b""


def _message(part: Part, start: bytes, extension: bytes) -> tuple[bytes, bytes]:
    inner = part.children[0]
    body, structure = body_forms(inner)
    start = b"%s %s " % (start, envelope(inner.headers))
    return b"%s%s %d)" % (start, body, part.lines), b"%s%s %d%s" % (start, structure, part.lines, extension)


def _multipart(part: Part) -> tuple[bytes, bytes]:
    forms = [body_forms(child) for child in part.children] or [(_EMPTY + b")", _EMPTY + b" NIL NIL NIL NIL)")]
    subtype = string(part.subtype)
    body = b"(%s %s)" % (b"".join(body for body, _ in forms), subtype)
    structure = b"(%s %s %s%s)" % (
        b"".join(structure for _, structure in forms),
        subtype,
        _parameters(part.parameters),
        _extension(part.headers),
    )
    return body, structure


def _with_charset(part: Part) -> Parameters:
    """RFC 2045 5.2: text is US-ASCII unless it says something else."""
    if part.type.lower() != b"text" or any(name.lower() == b"charset" for name, _ in part.parameters):
        return part.parameters if part.kind is not Kind.OPAQUE else ()
    return (*part.parameters, _US_ASCII)


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return NIL
    return b"(%s)" % b" ".join([b"%s %s" % (string(name), string(value)) for name, value in parameters])


def _extension(headers: Headers) -> bytes:
    """Disposition, language and location, each after a space."""
    if not headers.count(b"content-disposition"):
        disposition = NIL
    else:
        word, parameters = parse_disposition(value_of(headers, b"content-disposition") or b"")
        disposition = b"(%s %s)" % (string(word), _parameters(parameters))
    languages = _LANGUAGE.findall(value_of(headers, b"content-language") or b"")[:LANGUAGES]
    return b" %s %s %s" % (
        disposition,
        b"(%s)" % b" ".join(map(string, languages)) if languages else NIL,
        nstring(value_of(headers, b"content-location")),
    )
