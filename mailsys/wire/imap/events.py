"""What the machine tells of a client, one thing after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailsys.wire.imap.append import AppendEvent
from mailsys.wire.imap.commands import Command
from mailsys.wire.imap.responses import Response


@dataclass(frozen=True, slots=True)
class Request:
    """A command with its tag."""

    tag: str
    command: Command


@dataclass(frozen=True, slots=True)
class Proceed:
    """The client waits to be told that it may send its literal: say ``+ ``."""


@dataclass(frozen=True, slots=True)
class SaslLine:
    """The client's response to a challenge, still in base64."""

    line: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdleEnds:
    """The client has said DONE."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that is no command here and now: say ``response``, and hang up if it ``closes``."""

    tag: str
    response: Response
    closes: bool = False

    def render(self) -> bytes:
        """With the tag, if there was one."""
        return self.response.tagged(self.tag) if self.tag else self.response.untagged()


Event = Request | Proceed | SaslLine | IdleEnds | Rejected | AppendEvent
