"""What the host remembers of users who send, as one piece."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.config.schema import Configuration
from mailsys.interfaces import IIntake, IMailDrop, IRouter, IWorkers
from mailsys.submit.caught import CaughtAddresses
from mailsys.submit.counts import Allowance
from mailsys.submit.file import SubmissionFile
from mailsys.submit.limits import SendingLimits
from mailsys.submit.telling import HeldLetters


class Users:
    """``caught`` and ``limits`` of all accounts, in the file at ``path``."""

    def __init__(self, path: str, workers: IWorkers, now: Callable[[], float]) -> None:
        self._file = SubmissionFile(path)
        self._workers = workers
        self._now = now
        self.caught = CaughtAddresses(self._file, workers, now)
        self.limits = SendingLimits(self._file, workers, now)

    def configure(self, configuration: Configuration) -> None:
        """Take the limits for messages to come."""
        submission = configuration.submission
        self.limits.allowance = Allowance(
            submission.messages_per_day, submission.new_recipients_per_day, submission.most_per_day
        )

    def write_letters(
        self, intake: IIntake, drop: IMailDrop, router: IRouter, hostname: str, new_id: Callable[[], str]
    ) -> None:
        """From now on, tell users whose mail is held, in a letter."""
        self.limits.tell = HeldLetters(intake, drop, router, hostname, new_id, self._now).tell

    async def stop(self) -> None:
        """Write what is not written yet, and give the file back."""
        await self.caught.stop()
        await self._workers.run(self._file.close)
