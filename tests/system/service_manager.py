"""Does what systemd does for a service: keeps its sockets open, hands them over, hears what it says."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

SECONDS = 20
# Puts the sockets where a service looks for them, from 3 on, and becomes the service.
LAUNCHER = """
import os, sys
numbers = map(int, filter(None, sys.argv[1].split(",")))
high = [os.dup2(number, 200 + turn) for turn, number in enumerate(numbers)]
os.closerange(3, 200)
for turn, descriptor in enumerate(high):
    os.dup2(descriptor, 3 + turn)
os.closerange(3 + len(high), 400)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class ServiceManager:
    """``stop`` and ``start`` again as often as you like; the sockets stay open until ``close``."""

    def __init__(self, host, folder, watchdog_seconds=0):
        self.host = host
        self._watchdog_seconds = watchdog_seconds
        self._path = str(folder / "notify")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(self._path)
        self.sockets = []
        self.process = None
        self.said = []  # one dictionary a datagram
        # It hears at any time: a socket that nobody reads is soon full.
        self._heard = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen_always, daemon=True)
        self._listener.start()

    def _listen_always(self):
        while datagram := self._notify.recv(4096):
            self._heard.put(dict(line.split("=", 1) for line in datagram.decode().split("\n")))

    def listen(self, address, port, family=socket.AF_INET):
        """As ListenStream= of a socket unit."""
        self.sockets.append(socket.create_server((address, port), family=family, backlog=1024))

    def listen_locally(self, path):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen(1024)
        self.sockets.append(listening)

    def start(self, *before):
        """Begin the service; ``before`` is a program that starts it, by its path, and its options."""
        environment = dict(os.environ, NOTIFY_SOCKET=self._path)
        if self.sockets:
            environment["LISTEN_FDS"] = str(len(self.sockets))
        if self._watchdog_seconds:
            environment["WATCHDOG_USEC"] = str(int(self._watchdog_seconds * 1_000_000))
        command = [*before, sys.executable, "-m", "mailsys", "--config", str(self.host.config), "serve"]
        numbers = [one.fileno() for one in self.sockets]
        with self.host.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, ",".join(map(str, numbers)), *map(str, command)],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=numbers,
            )  # fmt: skip

    def hear(self, expected):
        """Wait until the service says a line; return what came with it."""
        deadline = time.monotonic() + SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                self.said.append(self._heard.get(timeout=left))
            except queue.Empty:
                break
            if "=".join(expected) in "\n".join(f"{key}={value}" for key, value in self.said[-1].items()):
                return self.said[-1]
        raise AssertionError(f"{expected} was not said, but {self.said}")

    def quiet_seconds(self, most):
        """How long nothing was said, up to so many seconds."""
        begun = time.monotonic()
        while (left := begun + most - time.monotonic()) > 0:
            try:
                self._heard.get(timeout=left)
                begun = time.monotonic()
            except queue.Empty:
                break
        return time.monotonic() - begun

    def stop(self):
        """As systemd does; return the exit status."""
        self.process.terminate()
        return self.process.wait(SECONDS)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in {int(said["MAINPID"]) for said in self.said if "MAINPID" in said}:
            with contextlib.suppress(ProcessLookupError):  # one behind strace outlives it
                os.kill(pid, signal.SIGKILL)
        self._end_listening()
        for one in [*self.sockets, self._notify]:
            one.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _end_listening(self):
        """With an empty datagram, which no service says."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._path)
        self._listener.join(SECONDS)
