"""A judge of a plugin: when it fails, its message is put off and the story names it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from zope.interface import implementer

from mailsys.extensions.fit import wrong_verdict
from mailsys.extensions.guard import Guard
from mailsys.interfaces import Disposition, IGreetingPause, IJudge, PluginFailed, Session, Verdict
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.reply import LOCAL_ERROR

LONGEST_PAUSE_SECONDS = 30.0


@implementer(IJudge, IGreetingPause)
class GuardedJudge:
    """Asks the plugin, within its deadline."""

    def __init__(self, judge: Any, guard: Guard) -> None:
        self.name = guard.name
        self._judge = judge
        self._guard = guard

    def pause_seconds(self, session: Session) -> float:
        """How long it wants the greeting held back, within reason; 0 when it does not ask for that."""
        if not IGreetingPause.providedBy(self._judge):
            return 0.0
        try:
            return self._guard.call("pause_seconds", lambda: _seconds(self._judge.pause_seconds(session)))
        except PluginFailed:
            return 0.0

    async def connection(self, session: Session) -> Verdict:
        """Before the greeting."""
        return await self._ask("connection", lambda: self._judge.connection(session))

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """At MAIL."""
        return await self._ask("sender", lambda: self._judge.sender(session, reverse_path))

    async def recipient(self, session: Session, recipient: Address) -> Verdict:
        """At RCPT."""
        return await self._ask("recipient", lambda: self._judge.recipient(session, recipient))

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """At the end of the message."""
        return await self._ask("message", lambda: self._judge.message(session, envelope, content))

    async def _ask(self, step: str, question: Callable[[], Awaitable[Verdict]]) -> Verdict:
        try:
            return await self._guard.ask(step, question, wrong_verdict)
        except PluginFailed as failed:
            return Verdict(Disposition.DEFER, str(failed), LOCAL_ERROR)


def _seconds(value: Any) -> float:
    return min(max(0.0, float(value)), LONGEST_PAUSE_SECONDS)
