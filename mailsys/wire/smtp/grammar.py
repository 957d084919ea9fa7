"""The grammar of SMTP's arguments (RFC 5321 4.1.2): paths, parameters, names.

Every function takes what stood in the line and returns a value, or raises :class:`Malformed`
with the reply that the peer deserves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailsys.message import reply as replies
from mailsys.message.address import Address, AddressError, parse_address
from mailsys.message.reply import Reply

# Path = "<" [ A-d-l ":" ] Mailbox ">"; a quoted local part may hold ">".  Some clients write a space
# after the colon, which RFC 5321 3.3 forbids and everybody takes.
_PATH = re.compile(r' *<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?: +(.*))?', re.DOTALL)
# A-d-l = At-domain *( "," At-domain ): a source route, which is read and not used (RFC 5321 F.2).
_SOURCE_ROUTE = re.compile(r"(?:@[^@,:\s]{1,255},)*@[^@,:\s]{1,255}:")
# esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-"); esmtp-value = 1*(%d33-60 / %d62-126)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,31})(?:=([!-<>-~\u0080-\U0010ffff]{1,1000}))?")
_ODD_DOTS = re.compile(r"(?=\.|[^@]*\.\.|[^@]*\.@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[^@]+$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GREETING_NAME = re.compile(r"[!-~]{1,255}")
MAXIMUM_PARAMETERS = 20
SIZE_DIGITS = 20  # RFC 1870 section 3


class Malformed(Exception):  # noqa: N818 - the reply says what is wrong
    """The argument does not follow the grammar; ``reply`` tells the peer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def decode_argument(argument: bytes, reply: Reply) -> str:
    """Text of an argument: UTF-8 without control characters."""
    try:
        text = argument.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(reply) from None
    if _CONTROL.search(text):
        raise Malformed(reply)
    return text


def split_path(argument: bytes, keyword: str, reply: Reply) -> tuple[str, Mapping[str, str | None]]:
    """``FROM:<path> parameters`` as path text without brackets, and parameters by upper-case name."""
    text = decode_argument(argument, reply)
    if text[: len(keyword)].upper() != keyword:
        raise Malformed(replies.SYNTAX_ERROR.with_text(f"Write {keyword}<address>"))
    match = _PATH.fullmatch(text, len(keyword))
    if match is None:
        raise Malformed(reply.with_text(f"{reply.text}: write it in < >"))
    return match.group(1), parse_parameters(match.group(2) or "")


def parse_parameters(text: str) -> Mapping[str, str | None]:
    """``KEYWORD[=value] …`` by upper-case name."""
    parameters: dict[str, str | None] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or len(parameters) == MAXIMUM_PARAMETERS:
            raise Malformed(replies.SYNTAX_ERROR)
        name = match.group(1).upper()
        if name in parameters:
            raise Malformed(replies.SYNTAX_ERROR.with_text(f"Parameter {name} is given twice"))
        parameters[name] = match.group(2)
    return parameters


def parse_mailbox(path: str, reply: Reply) -> Address:
    """The address of a path, without a source route.

    Dots where RFC 5321 has none (``a..b@``, ``.a@``) are in use; they are read as if they stood in quotes.
    """
    if path.startswith("@") and (route := _SOURCE_ROUTE.match(path)):
        path = path[route.end() :]
    if _ODD_DOTS.match(path):
        local_part, _at, domain = path.rpartition("@")
        path = f'"{local_part}"@{domain}'
    try:
        return parse_address(path)
    except AddressError as error:
        raise Malformed(reply.with_text(f"{reply.text}: {error}")) from None


def parse_size(value: str | None) -> int:
    """RFC 1870: ``SIZE=`` in octets; a number of any length is read without pain."""
    if value is None or not (value.isascii() and value.isdigit()):
        raise Malformed(replies.SYNTAX_ERROR.with_text("SIZE must be a number of octets"))
    return int(value) if len(value) <= SIZE_DIGITS else 10**SIZE_DIGITS


def parse_greeting_name(argument: bytes) -> str:
    """What a client says it is called; clients write all kinds of things there, and all is taken."""
    text = decode_argument(argument, replies.SYNTAX_ERROR).strip()
    if not _GREETING_NAME.fullmatch(text):
        raise Malformed(replies.SYNTAX_ERROR.with_text("Say who you are: a domain name or an [address]"))
    return text
