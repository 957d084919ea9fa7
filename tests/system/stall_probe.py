"""How long a server's reactor is busy at a stretch, seen from inside of it.

``python stall_probe.py FOLDER ARGUMENTS …`` is ``mailsys ARGUMENTS …`` with a probe in its process.  Every
10 ms the probe notes how much CPU the reactor's thread has used since the last time: what a busy machine
takes away from it does not count.  Blocking without CPU, as in waiting for a disk, it does not see; the time
that passed is noted as well, for people.
"""

import mmap
import os
import struct
import sys
import threading
import time
import traceback
from pathlib import Path

TICK_SECONDS = 0.01
LONGEST_SECONDS = 0.05  # of our own work at a stretch
LONGEST_SECONDS_BUSY = 0.1  # where others want more than all cores: they slow down a core that we have, too
NUMBERS = struct.Struct("dd")  # the longest stretch by the CPU, and by the clock on the wall


class StallProbe:
    """What a test sees of the probe in ``folder``; it counts from the last ``begin``."""

    def __init__(self, folder):
        self._path = Path(folder) / "stall.probe"
        self._stack = Path(folder) / "stall.stack"

    def make(self):
        self._path.write_bytes(NUMBERS.pack(0.0, 0.0))

    def begin(self):
        self._stack.unlink(missing_ok=True)
        self._write(0.0, 0.0)

    @property
    def longest(self):
        """Seconds of CPU, and of time."""
        return NUMBERS.unpack(self._path.read_bytes())

    def assert_no_stall(self):
        cpu, wall = self.longest
        where = self._stack.read_text() if self._stack.exists() else "(not seen where)"
        told = f"the reactor worked {cpu * 1000:.0f} ms at a stretch, in {wall * 1000:.0f} ms of time"
        is_busy = os.getloadavg()[0] > (os.cpu_count() or 1)
        assert cpu <= (LONGEST_SECONDS_BUSY if is_busy else LONGEST_SECONDS), f"{told}:\n{where}"

    def _write(self, cpu, wall):
        with self._path.open("r+b") as file:
            file.write(NUMBERS.pack(cpu, wall))

    # ------------------------------------------------------------------ inside the server

    def watch(self, reactor):
        """Begin in the reactor's thread."""
        with self._path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), NUMBERS.size)
        self._reactor = reactor
        self._thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)
        self._note()
        threading.Thread(target=self._look, daemon=True).start()
        reactor.callLater(TICK_SECONDS, self._tick)

    def _note(self):
        self._cpu, self._wall = time.clock_gettime(self._clock), time.monotonic()

    def _tick(self):
        cpu, wall = time.clock_gettime(self._clock) - self._cpu, time.monotonic() - self._wall
        longest_cpu, longest_wall = NUMBERS.unpack(self._shared[:])
        if cpu > longest_cpu or wall > longest_wall:
            self._shared[:] = NUMBERS.pack(max(cpu, longest_cpu), max(wall, longest_wall))
        self._note()
        self._reactor.callLater(TICK_SECONDS, self._tick)

    def _look(self):
        """In a thread of its own: when a stretch gets long, write down where the reactor is."""
        while True:
            time.sleep(TICK_SECONDS)
            cpu = time.clock_gettime(self._clock) - self._cpu
            if cpu > max(LONGEST_SECONDS * 0.7, NUMBERS.unpack(self._shared[:])[0]):
                frame = sys._current_frames().get(self._thread)
                self._stack.write_text("".join(traceback.format_stack(frame)))


def main():
    folder, *arguments = sys.argv[1:]
    from twisted.internet import reactor

    from mailsys.control.command import main as mailsys

    reactor.callWhenRunning(StallProbe(folder).watch, reactor)
    return mailsys(arguments)


if __name__ == "__main__":
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # ours are not the server's modules
    sys.exit(main())
