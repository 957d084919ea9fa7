"""Address lists of From, To, Cc and the like (RFC 5322 3.4 and 4.4, RFC 6532).

One pass over the raw bytes, written as a loop, in linear time and with a bound on the work.
Whatever a stranger wrote, there is a result: what cannot be read as an address is a
:class:`Mailbox` without one, in its place.  Encoded words are decoded in display names only, and
only after the list was cut: a comma within one is a comma, as other readers of the list see it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsys.message.address import Address, AddressError, parse_address
from mailsys.message.encoded_words import ENCODED_WORD, decode_words

LIST_OCTETS = 100_000
MAILBOXES = 10_000
TOKENS = 16_000  # 2500 mailboxes with names, or some 30 ms of nonsense
SPEC_OCTETS = 1024  # No address has more than 254; longer ones are not even looked at.

# One token after any white space: a word (RFC 5322 3.2.3: atoms, here with their dots), a quoted
# string (3.2.4), a domain literal (3.4.1), or one other octet.  A quoted string that does not end
# takes all the rest, so that nothing is read twice.
_TOKEN = re.compile(
    rb"""[ \t\r\n]*+(?:
         ([^ \t\r\n()<>\[\]:;@\\,"]++ | "(?:[^"\\]++|\\.)*+" | \[[^\[\]\\\r\n]*+\])
       | (".*+)
       | (.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PIECE, _UNENDED, _MARK = 1, 2, 3  # the groups of a token
_COMMENT_STEP = re.compile(rb"[^()\\]*+(?:\\.[^()\\]*+)*(\(|\)|\\?\Z)", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
# What makes another reader cut an address elsewhere, or see one in a comment.
_MISLEADS_IN_QUOTES = re.compile(rb"[\\@<>(),;:]")
_MISLEADS_IN_COMMENT = re.compile(rb"[@<>]")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of a list: its name without quotes, and its addr-spec as written.

    ``is_plain`` is False when another reader may see another address than ours: a source route, a
    gap, comment or encoded word within the address, a further address beside it, quotes, comments
    or angle brackets that do not end.
    """

    name: bytes
    spec: bytes
    is_plain: bool = True

    @property
    def display_name(self) -> str:
        """The name for people: encoded words decoded, one line, perhaps empty."""
        return decode_words(self.name)

    @property
    def address(self) -> Address | None:
        """The address, or None when there is none that is valid."""
        if not 0 < len(self.spec) <= SPEC_OCTETS:
            return None
        try:
            return parse_address(self.spec.decode())
        except (AddressError, UnicodeDecodeError):
            return None


@dataclass(frozen=True, slots=True)
class Group:
    """``name: member, member;``, perhaps without members."""

    name: bytes
    members: tuple[Mailbox, ...]

    @property
    def display_name(self) -> str:
        """The name for people."""
        return decode_words(self.name)


@dataclass(frozen=True, slots=True)
class AddressList:
    """All entries in their order; ``complete`` is False when a bound cut the list."""

    entries: tuple[Mailbox | Group, ...]
    complete: bool

    @property
    def mailboxes(self) -> list[Mailbox]:
        """All mailboxes, the members of groups among them."""
        found: list[Mailbox] = []
        for entry in self.entries:
            found += entry.members if isinstance(entry, Group) else (entry,)
        return found


def parse_mailboxes(value: bytes, limit: int = MAILBOXES) -> list[Mailbox]:
    """All mailboxes of a list, the members of groups among them; at most ``limit``."""
    return parse_address_list(value, limit).mailboxes


def parse_address_list(value: bytes, limit: int = MAILBOXES) -> AddressList:
    """Read an address list: at most ``limit`` mailboxes and groups, ``TOKENS``, ``LIST_OCTETS``."""
    reader = _Reader(value, limit)
    complete = reader.read()
    return AddressList(tuple(reader.entries), complete)


class _Draft:
    """What was read of one mailbox so far: pieces, each with whether a gap was before it."""

    __slots__ = ("closed", "comments", "inner", "is_plain", "opened", "phrase")

    def __init__(self) -> None:
        self.phrase: list[tuple[bytes, bool]] = []  # what stands before "<", or all without one
        self.inner: list[tuple[bytes, bool]] = []  # what stands between "<" and ">"
        self.opened = self.closed = False
        self.comments: list[bytes] = []
        self.is_plain = True

    @property
    def in_route(self) -> bool:
        # RFC 5322 4.4: obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
        return bool(self.inner) and self.inner[0][0] == b"@" and not self.closed

    @property
    def is_empty(self) -> bool:
        return not (self.phrase or self.opened)

    def finish(self) -> Mailbox:
        has_at = any(piece == b"@" for piece, _gap in self.phrase)
        if self.opened:
            name, spec = _name(self.phrase), self._spec(self.inner)
            self.is_plain = self.is_plain and self.closed and not has_at
        elif has_at:
            name, spec = b"", self._spec(self.phrase)
        else:
            name, spec = _name(self.phrase), b""
        return Mailbox(name or b" ".join(self.comments), spec, self.is_plain)

    def _spec(self, pieces: list[tuple[bytes, bool]]) -> bytes:
        """The addr-spec without its gaps, or nothing when it is none."""
        parts: list[bytes] = []
        octets = 0
        for piece, gap in pieces:
            octets += len(piece)
            if octets > SPEC_OCTETS:
                return b""
            if gap and parts:
                self.is_plain = False
                # RFC 5322 4.4 knows gaps around the @ and the dots; elsewhere they part two words.
                if not (parts[-1].endswith((b".", b"@")) or piece.startswith((b".", b"@"))):
                    return b""
            if piece.startswith(b'"') and _MISLEADS_IN_QUOTES.search(piece):
                self.is_plain = False
            parts.append(piece)
        spec = b"".join(parts)
        if ENCODED_WORD.search(spec):
            self.is_plain = False
        return spec


def _name(pieces: list[tuple[bytes, bool]]) -> bytes:
    """The words without quotes, with one space where there was a gap."""
    parts: list[bytes] = []
    for piece, gap in pieces:
        if gap and parts:
            parts.append(b" ")
        parts.append(_unquoted(piece) if piece.startswith(b'"') else piece)
    return b"".join(parts)


def _unquoted(piece: bytes) -> bytes:
    text = piece[1:].removesuffix(b'"')
    return _QUOTED_PAIR.sub(rb"\1", text) if b"\\" in text else text


class _Reader:
    """Cuts a list into entries."""

    def __init__(self, value: bytes, limit: int) -> None:
        self.entries: list[Mailbox | Group] = []
        self._value = value[:LIST_OCTETS]
        self._room = limit
        self._tokens = TOKENS
        self._is_cut = len(value) > LIST_OCTETS
        self._draft = _Draft()
        self._group: bytes | None = None  # the name of the group that is open
        self._members: list[Mailbox] = []

    def read(self) -> bool:
        """Read all; False when the bound left something out."""
        at, gap = 0, False
        while (token := _TOKEN.match(self._value, at)) and self._tokens and self._room >= 0:
            self._tokens -= 1
            kind = token.lastindex or 0
            piece, start = token[kind], token.start(kind)
            gap = gap or start > at
            at = token.end()
            if kind != _MARK:
                self._take(piece, gap)
                self._draft.is_plain &= kind != _UNENDED
                gap = False
            elif piece == b"(":
                at, gap = self._comment(start), True
            else:
                self._take_mark(piece, gap)
                gap = False
        self._end_mailbox()
        self._end_group()
        return token is None and self._room >= 0 and not self._is_cut

    def _comment(self, start: int) -> int:
        """Read the comment that begins here, with those within it; return where it ends."""
        draft = self._draft
        depth, at = 1, start + 1
        while depth and self._tokens and (step := _COMMENT_STEP.match(self._value, at)):
            at = step.end()
            self._tokens -= 1
            if step[1] == b"(":
                depth += 1
            elif step[1] == b")":
                depth -= 1
            else:
                draft.is_plain = False  # it does not end
                break
        text = self._value[start + 1 : at].removesuffix(b")")
        draft.comments.append(_QUOTED_PAIR.sub(rb"\1", text))
        if _MISLEADS_IN_COMMENT.search(text):
            draft.is_plain = False
        return at

    def _take(self, piece: bytes, gap: bool) -> None:
        draft = self._open_draft()
        (draft.inner if draft.opened else draft.phrase).append((piece, gap))

    def _open_draft(self) -> _Draft:
        """The mailbox to which the next token belongs."""
        if self._draft.closed:
            self._end_mailbox()  # the comma is missing
        return self._draft

    def _take_mark(self, mark: bytes, gap: bool) -> None:
        if mark == b"@":
            self._take(mark, gap)
        elif mark == b";" or (mark == b"," and not self._draft.in_route):
            self._end_mailbox()
            if mark == b";":
                self._end_group()
        else:
            self._bracket(self._open_draft(), mark, gap)

    def _bracket(self, draft: _Draft, mark: bytes, gap: bool) -> None:
        """Take an angle bracket, a colon, or a mark that has no place here."""
        if mark == b"<" and not draft.opened:
            draft.opened = True
        elif mark == b">" and draft.opened:
            draft.closed = True
        elif mark == b":" and not draft.opened:
            self._begin_group()
        else:
            draft.is_plain &= mark not in b"<>:"
            if mark == b":" and draft.in_route:
                draft.inner.clear()  # RFC 5322 4.4: a route is to be ignored.
            else:
                (draft.inner if draft.opened else draft.phrase).append((mark, gap))

    def _begin_group(self) -> None:
        self._end_group()
        self._group = _name(self._draft.phrase)
        self._count()
        self._draft = _Draft()

    def _end_group(self) -> None:
        if self._group is not None:
            self.entries.append(Group(self._group, tuple(self._members)))
        self._group, self._members = None, []

    def _end_mailbox(self) -> None:
        draft, self._draft = self._draft, _Draft()
        if (draft.is_empty and draft.is_plain) or not self._count():
            return  # nothing but harmless comments, or no room
        (self.entries if self._group is None else self._members).append(draft.finish())

    def _count(self) -> bool:
        """Is there room for one more?"""
        self._room -= 1
        return self._room >= 0
