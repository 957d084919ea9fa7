"""A header writer: says whose host took the message, and under which rules.

[receive]
header_writers = ["organisation"]
[plugins.organisation]
name = "Example Cooperative"
policy = "https://example.org/mail"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header

from zope.interface import implementer

from mailsys.config.settings import TEXT, setting
from mailsys.interfaces import IHeaderWriter, IReconfigurable, PluginMaker, Services
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope

organisation = PluginMaker(IHeaderWriter, "organisation", __name__, "says whose host took a message")


@dataclass(frozen=True, slots=True)
class Settings:
    """An empty text is left out."""

    name: str = setting(TEXT)
    policy: str = setting(TEXT, "")


@implementer(IHeaderWriter, IReconfigurable)
class Organisation:
    """The same lines in front of every message."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.name = services.name
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """SIGHUP."""
        named = {"X-Received-For": settings.name, "X-Mail-Policy": settings.policy}
        self._lines = [field(name, text) for name, text in named.items() if text]

    async def lines(self, envelope: Envelope, content: Content) -> Sequence[bytes]:
        """Nothing of the message matters."""
        return self._lines


def field(name: str, text: str) -> bytes:
    """A whole field, folded, in ASCII: other letters become encoded words (RFC 2047)."""
    value = Header(text, "utf-8" if not text.isascii() else "ascii", header_name=name).encode(linesep="\r\n")
    return f"{name}: {value}\r\n".encode("ascii")


def make(settings: Settings, services: Services) -> Organisation:
    """The writer."""
    return Organisation(settings, services)
