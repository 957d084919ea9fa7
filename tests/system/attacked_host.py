"""A host under attack: a stranger who says anything, and a normal client who must not notice."""

import base64
import itertools
import re
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from exchange import SECONDS, deliver
from real_host import new_host, put_probe

from mailsys.accounts.sha_crypt import sha_crypt
from mailsys.lab.organisation import Person

MESSAGE_OCTETS = 11 * 1024 * 1024
UNNOTICED_SECONDS = 1.0  # a normal client's longest wait; our own aim is 0.2 s on a quiet machine
PASSWORD = "a victim's password"
VICTIMS = [Person(f"victim{number}@system.test", PASSWORD) for number in range(200)]
LETTER = b"From: visitor@example.org\r\nSubject: as usual\r\n\r\nNothing is the matter.\r\n"
# What no line of a log may hold: it would let a stranger write lines of his own, or play with a terminal.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Stranger:
    """A client that says octets and hears lines; nothing holds it to a protocol."""

    def __init__(self, host, service="smtp"):
        where = host.organisation
        self._log = host.log
        self._log_begin = host.log.stat().st_size
        self.socket = socket.create_connection((where.address, where.port(service)), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        own = re.escape(self.socket.getsockname()[0])
        self._told = re.compile(rf" ended by us: (.*); client [^\n]*\[{own}\]$", re.MULTILINE)
        self._heard = b""
        self.greeting = self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.socket.close()

    def say(self, data):
        self.socket.sendall(data)

    def blast(self, data):
        """Say much to one who may hang up meanwhile; tells whether all of it went out."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def line(self):
        while b"\r\n" not in self._heard:
            data = self.socket.recv(65536)
            assert data, f"the end after {self._heard!r}"
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\r\n")
        return line.decode()

    def take(self, octets):
        """So many octets, as they come."""
        while len(self._heard) < octets:
            data = self.socket.recv(65536)
            assert data, "the end within"
            self._heard += data
        taken, self._heard = self._heard[:octets], self._heard[octets:]
        return taken

    def reply(self):
        """One reply of SMTP: the last of its lines."""
        while (line := self.line())[3:4] == "-":
            pass
        return line

    def ask(self, line):
        """Say one command, and hear the reply."""
        self.say((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return self.reply()

    def begin(self, *recipients):
        """A transaction up to DATA's 354."""
        assert self.ask("HELO stranger.example").startswith("250")
        assert self.ask("MAIL FROM:<stranger@example.org>").startswith("250")
        for recipient in recipients:
            assert self.ask(f"RCPT TO:<{recipient.address}>").startswith("250")
        assert self.ask("DATA").startswith("354")

    def log_in(self, someone):
        """Where users send."""
        response = base64.b64encode(f"\0{someone.address}\0{someone.password}".encode()).decode()
        return self.ask(f"AUTH PLAIN {response}")

    def hears_nothing(self, seconds=0.2):
        """Is the host still waiting for more?"""
        self.socket.settimeout(seconds)
        try:
            self._heard += self.socket.recv(65536)
        except TimeoutError:
            return not self._heard
        finally:
            self.socket.settimeout(SECONDS)
        return False

    def rest(self):
        """The lines up to the end of the connection."""
        return self.rest_octets().decode().splitlines()

    def rest_octets(self):
        """The same, for what may be a TLS alert."""
        heard = bytearray(self._heard)
        try:
            while data := self.socket.recv(65536):
                heard += data
        except ConnectionResetError:
            pass
        return bytes(heard)

    def was_refused(self, reply):
        """The log tells that a connection from here ended with this reply."""
        return self._log_has(lambda log: reply in self._told.findall(log))

    def _log_has(self, is_there):
        """It comes a moment later."""
        deadline = time.monotonic() + 5
        while not is_there(self._log.read_bytes()[self._log_begin :].decode()):
            assert time.monotonic() < deadline, "the log does not tell"
            time.sleep(0.05)
        return True


LETTERS = Counter()  # by host


class Bystander(threading.Thread):
    """A normal client, at it all the time of a test; ``LETTERS`` counts what it gave in, in all tests.

    ``longest`` is how long it waited for a simple answer, ``resident`` the most memory that it saw taken.
    """

    def __init__(self, host, someone):
        super().__init__(daemon=True)
        self._host = host
        self._someone = someone
        self._over = threading.Event()
        self._failure = None
        self.longest = 0.0
        self.resident = 0

    def run(self):
        try:
            for turn in itertools.count():
                self._ask()
                if turn % 10 == 0:
                    self._deliver()
                if self._over.wait(0.02):
                    return
        except Exception as failure:
            self._failure = failure

    def _deliver(self):
        deliver(self._host, self._someone, LETTER)
        LETTERS[self._host] += 1
        return LETTERS[self._host]

    def _ask(self):
        begun = time.monotonic()
        with Stranger(self._host) as client:
            client.ask("NOOP")
        self.longest = max(self.longest, time.monotonic() - begun)
        self.resident = max(self.resident, resident(self._host))

    def finish(self):
        """Stop; it was served at any time, soon, and nothing of its mail is missing."""
        self._over.set()
        self.join(SECONDS)
        assert self._failure is None, self._failure
        assert self._deliver() == count(self._host, self._someone)
        assert self.longest < UNNOTICED_SECONDS


def inbox(host, someone):
    """Somebody's messages.  Unlike poplib it takes lines of any length."""
    found = []
    with Stranger(host, "pop3") as reader:
        reader.ask(f"USER {someone.address}")
        assert reader.ask(f"PASS {someone.password}").startswith("+OK")
        for number in range(1, int(reader.ask("STAT").split()[1]) + 1):
            octets = int(reader.ask(f"RETR {number}").split()[1])
            found.append(reader.take(octets))
            while reader.line() != ".":
                pass
        reader.ask("QUIT")
    return found


def count(host, someone):
    """How many messages somebody has."""
    with Stranger(host, "pop3") as reader:
        reader.ask(f"USER {someone.address}")
        assert reader.ask(f"PASS {someone.password}").startswith("+OK")
        return int(reader.ask("STAT").split()[1])


def resident(host):
    """The server's resident memory in octets."""
    return int(Path(f"/proc/{host.pid}/statm").read_text().split()[1]) * 4096


@pytest.fixture(scope="session")
def _attacked(tmp_path_factory):
    host = new_host(tmp_path_factory.mktemp("attacked") / "host", people=1)
    text = host.config.read_text()
    assert '# message_size = "50M"' in text
    # Answers to errors wait as everywhere, but not as long: it is many of them that are tried here.
    limits = f'message_size = {MESSAGE_OCTETS}\nerror_pause = "0.002s"'
    host.config.write_text(text.replace('# message_size = "50M"', limits))
    # A foreign hash is stored as it is; to make this many of our own would take long.
    foreign = "$6$rounds=1000$salt$" + sha_crypt("6", PASSWORD.encode(), b"salt", 1000)
    host.run("account", "import", "-", told="".join(f"{victim.address}:{foreign}\n" for victim in VICTIMS))
    host.probe = put_probe(host)
    host.start()
    try:
        host.wait_until_ready(("smtp", "submission", "pop3", "lmtp"))
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="session")
def _victims():
    return iter(VICTIMS)


@pytest.fixture
def victim(_victims):
    """Somebody whose mailbox is empty."""
    return next(_victims)


@pytest.fixture
def bystander(_attacked):
    """The normal client of this test."""
    bystander = Bystander(_attacked, _attacked.organisation.people[0])
    bystander.start()
    return bystander


@pytest.fixture
def attacked(_attacked, bystander):
    """The host; after the test, look at what the attack did to others, to the reactor and to the log."""
    begin = _attacked.log.stat().st_size
    _attacked.probe.begin()
    yield _attacked
    bystander.finish()
    _attacked.probe.assert_no_stall()
    log = _attacked.log.read_bytes()[begin:].decode()
    assert "Traceback" not in log
    assert "Unhandled" not in log
    assert not CONTROL.search(log)
