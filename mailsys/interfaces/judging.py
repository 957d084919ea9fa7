"""Is it wanted?  Verdicts, and who gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from zope.interface import Attribute, Interface

from mailsys.interfaces.connections import Session
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.reply import Reply


class Disposition(Enum):
    """What should become of it; the later ones outweigh the earlier."""

    ACCEPT = 0
    JUNK = 1
    DEFER = 2
    REJECT = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What one judge said, for who asks later what was checked."""

    judge: str
    disposition: Disposition
    reason: str = ""

    def __str__(self) -> str:
        said = self.disposition.name.lower()
        return f"{self.judge}: {said} ({self.reason})" if self.reason else f"{self.judge}: {said}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says, or all of them.  ``reply`` is what the peer is told when it defers or rejects.

    ``reports`` is the pipeline's: what each judge said that was asked.
    """

    disposition: Disposition
    reason: str = ""
    reply: Reply | None = None
    headers: tuple[bytes, ...] = ()  # header lines for the message, with CRLF
    stays_here: bool = False  # mailboxes here may have it, but it is not forwarded in our name
    reports: tuple[Report, ...] = field(default=(), compare=False)

    @property
    def checked(self) -> tuple[str, ...]:
        """The reports in words."""
        return tuple([str(report) for report in self.reports])


ACCEPT = Verdict(Disposition.ACCEPT)


class IJudge(Interface):
    """Reports on a connection, a sender, a recipient or a message.  Never decides alone."""

    name: str = Attribute("as in the configuration and the journal")

    async def connection(session: Session) -> Verdict:
        """Before the greeting."""

    async def sender(session: Session, reverse_path: Address | None) -> Verdict:
        """At MAIL."""

    async def recipient(session: Session, recipient: Address) -> Verdict:
        """At RCPT, for a recipient that is known."""

    async def message(session: Session, envelope: Envelope, content: Content) -> Verdict:
        """At the end of DATA."""


class ISenderHistory(Interface):
    """Who has written to whom before."""

    def note(session: Session, reverse_path: Address | None, recipients: Iterable[Address]) -> None:
        """A message was delivered into the INBOX of these.  Never makes its caller wait, never raises."""

    async def knows(session: Session, reverse_path: Address | None, recipients: Iterable[Address]) -> bool:
        """Is the sender known to one of these?  False also when that cannot be told."""

    async def knows_from_list(session: Session, recipients: Iterable[Address]) -> bool:
        """Has mail of this author come to one of these over this list?  Else as ``knows``."""


class IGreetingPause(Interface):
    """A judge that wants the greeting held back, to see who cannot wait."""

    def pause_seconds(session: Session) -> float:
        """How long; 0 for none."""


class IJudgePipeline(Interface):
    """All judges that the configuration names, as one."""

    def pause_seconds(session: Session) -> float:
        """How long to hold the greeting back."""

    async def connection(session: Session) -> Verdict:
        """The weightiest verdict of all judges."""

    async def sender(session: Session, reverse_path: Address | None) -> Verdict:
        """The weightiest verdict of all judges."""

    async def recipient(session: Session, recipient: Address) -> Verdict:
        """The weightiest verdict of all judges."""

    async def message(session: Session, envelope: Envelope, content: Content) -> Verdict:
        """The weightiest verdict, with the header lines of all judges."""
