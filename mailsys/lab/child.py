"""A server that runs in a process of its own, with its log in a file; whoever starts it stops it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mailsys.lab.failure import LabFailed

STOP_SECONDS = 15.0
TAIL_LINES = 20


class Child:
    """Python with some arguments; ``name`` is how sentences call it."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._told = 0  # octets of the log from earlier runs

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    def begin(self, arguments: Sequence[str]) -> None:
        """Start the process; nothing is waited for."""
        with self.log.open("ab") as log:
            self._told = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # a Ctrl-C is the lab's to answer, in order
            )  # fmt: skip

    def check_alive(self) -> None:
        """Raise LabFailed, with the log's end, when the process has ended by itself."""
        if self._process is None or self._process.poll() is not None:
            raise self.failed("has ended")

    def wait_until_said(self, words: str, seconds: float) -> None:
        """Return when the log of this run has the words; raises LabFailed with the log's end."""
        deadline = time.monotonic() + seconds
        while words.encode() not in self.log.read_bytes()[self._told :]:
            self.check_alive()
            if time.monotonic() > deadline:
                raise self.failed(f"did not answer in {seconds:.0f} s")
            time.sleep(0.05)

    def failed(self, what: str) -> LabFailed:
        """A sentence about it, and the end of its log."""
        return LabFailed(f"{self.name} {what}.  The end of its log:\n{self.log_tail()}")

    def signal(self, number: int) -> None:
        """Tell the process something.  Harmless when there is none."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self) -> None:
        """Ask the process to stop; ``stop`` waits for it.  Harmless when there is none."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process at once, without order.  Harmless when there is none."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int | None:
        """End the process in order, or by force when that takes too long; return its exit status."""
        process = self._process
        if process is None:
            return None
        self.end()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None
        return process.returncode

    def log_tail(self) -> str:
        """The last lines of the log, indented."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        except OSError:
            lines = []
        return "\n".join(f"    {line}" for line in lines or ["(the log is empty)"])
