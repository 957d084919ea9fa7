"""BODY and BODYSTRUCTURE (RFC 9051 7.5.2, RFC 3501 7.4.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailsys.message.headers import Headers
from mailsys.message.structure.envelope_form import envelope, value_of
from mailsys.message.structure.parameters import Parameters, parse_disposition
from mailsys.message.structure.parts import Kind, Part
from mailsys.message.structure.strings import NIL, nstring, string

FORMS_OCTETS = 128 * 1024  # of each form of a message
BARE_OCTETS = 200  # more than a part takes of which hardly anything is told
ENCODING_OCTETS = 32  # of an encoding that even such a part tells
LANGUAGES = 50
_LANGUAGE = re.compile(rb"[A-Za-z0-9-]{1,64}")
_OCTETS = (b"application", b"octet-stream")  # what a part is told as whose parts are not
_US_ASCII = (b"charset", b"us-ascii")
# A multipart that holds nothing is told as one that holds an empty text: the grammar knows no other.
_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'


class _Own(NamedTuple):
    """What is told of a part itself: what stands before its children and, in each form, behind them."""

    start: bytes
    body_end: bytes
    structure_end: bytes

    @property
    def octets(self) -> int:
        """Of the longer form."""
        return len(self.start) + len(self.structure_end)


def body_forms(part: Part) -> tuple[bytes, bytes]:
    """Both: without and with the extension data.  Recurses as deep as parts are told.

    Each has at most FORMS_OCTETS.  A part for which there is no room is told as octets, whatever it holds;
    of a multipart, the parts that come then are not told.
    """
    forms = _Forms()
    forms.tell(part)
    return forms.body_and_structure()


class _Forms:
    """Both forms of a message in pieces, as far as they are put together."""

    def __init__(self) -> None:
        self._body: list[bytes] = []
        self._structure: list[bytes] = []
        self._room = FORMS_OCTETS

    def body_and_structure(self) -> tuple[bytes, bytes]:
        """The forms."""
        return b"".join(self._body), b"".join(self._structure)

    def tell(self, part: Part) -> None:
        """Add a part with all that it holds; there must be room for BARE_OCTETS."""
        own = _own(part)
        is_whole = own.octets <= self._room - BARE_OCTETS
        if not is_whole:
            own = _bare(part)
        self._room -= own.octets
        self._add(own.start, own.start)
        if is_whole:
            self._tell_children(part)
        self._add(own.body_end, own.structure_end)

    def _tell_children(self, part: Part) -> None:
        if part.kind is Kind.MULTIPART and not part.children:
            self._room -= BARE_OCTETS
            self._add(_EMPTY + b")", _EMPTY + b" NIL NIL NIL NIL)")
        for place, child in enumerate(part.children):
            if place and self._room < BARE_OCTETS:
                break
            self.tell(child)

    def _add(self, body: bytes, structure: bytes) -> None:
        self._body.append(body)
        self._structure.append(structure)


def encoding_of(headers: Headers) -> bytes:
    """The Content-Transfer-Encoding as written, without comments; empty when there is none."""
    value = value_of(headers, b"content-transfer-encoding")
    return (value.split() or [b""])[0].rstrip(b";") if value else b""


def _own(part: Part) -> _Own:
    if part.kind is Kind.MULTIPART:
        return _multipart(part)
    headers = part.headers
    type_, subtype = part.type, part.subtype
    if part.kind is Kind.OPAQUE:
        type_, subtype = _OCTETS
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
        start = b"%s %s " % (start, envelope(part.children[0].headers))
        return _Own(start, b" %d)" % part.lines, b" %d%s" % (part.lines, extension))
    if type_.lower() == b"text":
        start = b"%s %d" % (start, part.lines)
    return _Own(start, b")", extension)


def _multipart(part: Part) -> _Own:
    subtype = string(part.subtype)
    extension = b" %s %s%s)" % (subtype, _parameters(part.parameters), _extension(part.headers))
    return _Own(b"(", b" %s)" % subtype, extension)


def _bare(part: Part) -> _Own:
    """Its size, and how it is encoded: it can be read, at least."""
    encoding = encoding_of(part.headers) or b"7bit"
    if len(encoding) > ENCODING_OCTETS:
        encoding = b"7bit"
    type_, subtype = map(string, _OCTETS)
    start = b"(%s %s NIL NIL NIL %s %d" % (type_, subtype, string(encoding), part.octets)
    return _Own(start, b")", b" NIL NIL NIL NIL)")


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
