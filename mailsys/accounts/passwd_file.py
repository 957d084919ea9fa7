"""Lines of accounts as Dovecot's passwd-file has them.

::

    address:{SCHEME}password
    address:{SCHEME}password:uid:gid:gecos:home:shell:userdb_quota_rule=*:storage=2G …

Of the further fields only the quota means something here.  Blank lines and ``#`` are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from mailsys.accounts import foreign
from mailsys.accounts.credentials import PASSWORD_OCTETS, is_acceptable
from mailsys.message.address import Address, AddressError, parse_address

LINE_OCTETS = 8192
_FIELDS = 8
_QUOTA = re.compile(
    r"(?:^|\s)(?:userdb_)?(?:quota_rule=\*:(?P<unit>storage|bytes)|quota_storage_size)=(?P<size>[^:\s]*)"
)
_SIZE = re.compile(r"([0-9]{1,12})([bBkKmMgGtT]?)[bB]?")
_UNITS = {"b": 0, "k": 10, "m": 20, "g": 30, "t": 40}


class LineError(ValueError):
    """The line cannot be imported; the text says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class PasswdLine:
    """One account to import; ``number`` is the line's."""

    number: int
    address: Address
    password: str  # with its scheme
    quota_bytes: int | None


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that cannot be imported, and why.  It never shows a password."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


def read_lines(file: BinaryIO) -> Iterator[PasswdLine | WrongLine]:
    """All lines that say something, whatever else they are."""
    number = 0
    while line := file.readline(LINE_OCTETS + 1):
        number += 1
        if len(line) > LINE_OCTETS:
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_OCTETS)
            yield WrongLine(number, f"it is longer than {LINE_OCTETS} octets")
        elif line.strip() and not line.lstrip().startswith(b"#"):
            yield _read(number, line)


def _read(number: int, line: bytes) -> PasswdLine | WrongLine:
    try:
        fields = line.decode().rstrip("\r\n").split(":", _FIELDS - 1)
        address = _address(fields[0])
        return PasswdLine(number, address, _password(fields), _quota(fields[_FIELDS - 1 :]))
    except UnicodeDecodeError:
        return WrongLine(number, "it is not UTF-8")
    except LineError as error:
        return WrongLine(number, str(error))


def _address(text: str) -> Address:
    try:
        return parse_address(text.strip()).folded()
    except AddressError as error:
        raise LineError(f"{text.strip()!r} is no address: {error}") from None


def _password(fields: list[str]) -> str:
    if len(fields) < 2 or not fields[1]:
        raise LineError("there is no password after the address")
    # A password in clear that holds a colon would be cut without a word.
    owner = fields[2:4]
    if len(fields) < _FIELDS - 1 and not all(field.isdigit() or not field for field in owner):
        raise LineError("a colon cannot stand in a password here")
    try:
        plaintext = foreign.parse(fields[1]).plaintext
    except foreign.ForeignHashError as error:
        raise LineError(str(error)) from None
    if plaintext is not None and not is_acceptable(plaintext):
        raise LineError(
            f"its password is empty, longer than {PASSWORD_OCTETS} octets, or has a NUL character"
        )
    return fields[1]


def _quota(extra: list[str]) -> int | None:
    """The limit of the last field, in octets; ``storage`` without a unit is in kilobytes."""
    match = _QUOTA.search(extra[0]) if extra else None
    if match is None:
        return None
    size = _SIZE.fullmatch(match["size"])
    if size is None:
        raise LineError(f"the quota {match['size']!r} is no size")
    usual = "k" if match["unit"] == "storage" else "b"
    return int(size[1]) << _UNITS[(size[2] or usual).lower()] or None
