"""A delivery that gives a message to a program on its standard input.

    [route.deliveries]
    "tickets@example.org" = "tickets"
    [plugins.tickets]
    plugin = "pipe"
    command = ["/usr/bin/rt-mailgate", "--queue", "general"]
    timeout = "20s"

No shell takes part, and nothing of the message or its envelope is on the command line: SENDER and
RECIPIENT are in the environment.  The exit status is that of sysexits.h: 0 is delivered, 75
(EX_TEMPFAIL) and whatever is no status of a decision is for later, and the others are for good.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from zope.interface import implementer

from mailsys.config.settings import TEXTS, WAIT, Wrong, setting
from mailsys.interfaces import Attempt, IDelivery, PluginMaker, Services
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Failed, Outcome, Step
from mailsys.message.reply import Reply

pipe = PluginMaker(IDelivery, "pipe", __name__, "gives a message to a program")

OUTPUT_OCTETS = 2000
# sysexits.h: usage, data, no input, no user, no host, … no permission; all but these are for later.
FOR_GOOD = frozenset({64, 65, 67, 68, 70, 76, 77})
NOT_NOW = Reply(451, "4.3.0", "This address cannot be delivered to at the moment")
NEVER = Reply(554, "5.3.0", "This address does not accept the message")


@dataclass(frozen=True, slots=True)
class Settings:
    """``timeout`` should be shorter than ``deadline``, so that the program is ended before we give up."""

    command: tuple[str, ...] = setting(TEXTS)
    timeout: float = setting(WAIT, "20s")

    def __post_init__(self) -> None:
        if not self.command:
            raise Wrong(
                "has an empty command", 'write it as in ["/usr/bin/rt-mailgate", "--queue", "general"]'
            )
        if not os.access(self.command[0], os.X_OK):
            wrong = f'has the command "{self.command[0]}", which cannot be run'
            raise Wrong(wrong, "name a program by its path")


@implementer(IDelivery)
class Pipe:
    """Starts the program once for each recipient, one after the other."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._workers = services.workers

    async def deliver(
        self, envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        """In a thread of those for plugins."""
        return {
            recipient: await self._workers.run(self._run, envelope, content, recipient)
            for recipient in recipients
        }

    def _run(self, envelope: Envelope, content: Content, recipient: Address) -> Attempt:
        environment = {
            "PATH": "/usr/bin:/bin",
            "SENDER": str(envelope.reverse_path or ""),
            "RECIPIENT": str(recipient),
        }
        try:
            with TemporaryFile() as message, TemporaryFile() as output:
                message.writelines(content.pieces())
                message.seek(0)
                status = subprocess.run(
                    self._settings.command, stdin=message, stdout=output, stderr=output, cwd="/",
                    env=environment, timeout=self._settings.timeout, check=False,
                ).returncode  # fmt: skip
                output.seek(0)
                said = output.read(OUTPUT_OCTETS).decode(errors="replace").strip()
        except subprocess.TimeoutExpired:
            said = "the program took too long"
            return Attempt(Deferred(NOT_NOW), Step.MESSAGE, said=said, is_uncertain=True)
        except OSError as error:
            return Attempt(Deferred(NOT_NOW), Step.CONNECT, said=str(error))
        if status:
            said = f"it ended with status {status}: {said}"
        return Attempt(self._outcome(status), Step.MESSAGE, said=said)

    def _outcome(self, status: int) -> Outcome:
        if status == 0:
            return Delivered(self._settings.command[0])
        return Failed(NEVER) if status in FOR_GOOD else Deferred(NOT_NOW)


def make(settings: Settings, services: Services) -> Pipe:
    """The delivery."""
    return Pipe(settings, services)
