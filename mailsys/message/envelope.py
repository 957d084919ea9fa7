"""The envelope: what travels beside a message, not in it (RFC 5321 2.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from mailsys.message.address import Address


class Body(Enum):
    """What the sender declared of the content (RFC 6152, RFC 3030)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"
    BINARY_MIME = "BINARYMIME"


class Return(Enum):
    """How much of the message a notice about its failure should bring back (RFC 3461 4.3)."""

    FULL = "FULL"
    HEADERS = "HDRS"


class Notify(Enum):
    """When the sender wants a notice about a recipient (RFC 3461 4.1)."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


@dataclass(frozen=True, slots=True)
class NoticeWish:
    """What a sender wants to hear about one recipient (RFC 3461 4.1, 4.2).

    ``notify`` is empty when nothing was said.  ``original`` is the recipient that the sender wrote, as
    type and address (``rfc822;ann@example.org``), decoded; empty when nothing was said.
    """

    notify: frozenset[Notify] = frozenset()
    original: str = ""

    def __bool__(self) -> bool:
        return bool(self.notify or self.original)

    def but_success(self) -> NoticeWish:
        """What is left to be told when success is; who wanted to hear of nothing else is told no more."""
        if Notify.SUCCESS not in self.notify:
            return self
        return replace(self, notify=self.notify - {Notify.SUCCESS} or frozenset({Notify.NEVER}))


NO_WISH = NoticeWish()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Reverse-path and forward-paths of one accepted message.

    ``id`` is the message's name in journal, log and Received line.  ``reverse_path`` is None for
    the null reverse-path of notices.  ``recipients`` are as the client gave them, each once.
    ``notice_return``, ``notice_id`` and ``wishes`` are RET, ENVID (decoded) and what each recipient came
    with of RFC 3461.  ``is_vouched_for`` says that the reverse-path is the sender's own, and not one that a
    stranger may have made up.  ``forwarded`` are those recipients whom the sender did not write to, each with
    the address of ours that stands for it.
    """

    id: str
    reverse_path: Address | None
    recipients: tuple[Address, ...]
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    notice_return: Return | None = None
    notice_id: str = ""
    wishes: Mapping[Address, NoticeWish] = field(default_factory=dict, hash=False)
    is_vouched_for: bool = False
    forwarded: Mapping[Address, Address] = field(default_factory=dict, hash=False)

    def wish(self, recipient: Address) -> NoticeWish:
        """What the sender wants to hear about a recipient; of a forwarded one, about the address it wrote.

        RFC 3461 5.2.7: that address goes along as the original one.
        """
        written = self.forwarded.get(recipient)
        if written is None:
            return self.wishes.get(recipient, NO_WISH)
        wish = self.wishes.get(written, NO_WISH)
        kind = "rfc822;" if written.is_ascii else "utf-8;"
        return wish if wish.original else replace(wish, original=f"{kind}{written}")


def render_path(path: Address | None) -> str:
    """``<a@b>``, or ``<>`` for the null reverse-path."""
    return f"<{path}>" if path is not None else "<>"
