"""Watched by strace: a 250 is sent after the sync that covers its message, and after its copies are laid."""

import json
import re
import shutil
import smtplib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from exchange import SECONDS, SENDER
from real_host import new_host
from system_calls import Call, read_trace

from mailsys.lab.host import Host

PEOPLE = 8
CALLS = "open,openat,write,writev,pwrite64,fdatasync,fsync,syncfs,rename,renameat,renameat2,sendto,sendmsg"
LARGE = 700_000  # octets: more than is kept in memory


def test_the_reader_of_traces():
    lines = [
        '7 write(3</x/1.log>, "a \\"b\\"\\r\\n", 7) = 7',
        "8 fdatasync(3</x/1.log> <unfinished ...>",
        '7 sendto(9<socket:[5]>, "250 OK", 6, 0, NULL, 0) = -1 EAGAIN (Resource temporarily unavailable)',
        "8 <... fdatasync resumed>) = 0",
        '9 rename("/x/tmp/a", <unfinished ...>',
        '9 <... rename resumed>"/x/new/a") = 0',
        "7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---",
        "7 +++ exited with 0 +++",
    ]
    write, send, sync, rename = read_trace(lines)
    assert (write.path, write.strings, write.succeeded) == ("/x/1.log", [b'a "b"\r\n'], True)
    assert (sync.name, sync.path, sync.begin, sync.end) == ("fdatasync", "/x/1.log", 1, 3)
    assert not send.succeeded
    assert rename.strings == [b"/x/tmp/a", b"/x/new/a"]


class TracedHost(Host):
    """A host whose system calls go into the file ``trace``."""

    @property
    def trace(self):
        return self.directory / "trace"

    def start(self):
        with self.log.open("ab") as log:
            # -D: the server itself is our child, and strace ends with it.
            self._process = subprocess.Popen(
                ["strace", "-D", "-f", "-y", "-s", "16384", "-e", f"trace={CALLS}", "-e", "signal=none",
                 "-o", self.trace, sys.executable, "-m", "mailsys", "--config", self.config, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self):
        """Return when the trace is complete, too."""
        pid, status = self.pid, super().stop()
        deadline = time.monotonic() + SECONDS
        # A short number is padded with blanks.
        while pid and not re.search(rf"^{pid} +\+\+\+ ", self.trace.read_text("latin-1")[-1000:], re.M):
            assert time.monotonic() < deadline, "strace does not end"
            time.sleep(0.1)
        return status

    def calls(self):
        """What it did, from start to stop."""
        return read_trace(self.trace.read_text("latin-1").splitlines())


def hand_in(host, recipients, octets=2000):
    """Give in one message; returns the id that the host gave it."""
    where = host.organisation
    body = "a line of the message\r\n" * (octets // 23)
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        client.ehlo()
        client.mail(SENDER)
        for recipient in recipients:
            client.rcpt(recipient.address)
        code, text = client.data(f"From: {SENDER}\r\nSubject: traced\r\n\r\n{body}")
    assert code == 250, text
    return re.fullmatch(r"2\.0\.0 Accepted as (\S+)", text.decode())[1]


@dataclass(frozen=True)
class Accepted:
    """A message that was answered with 250: its id, how it came, and how many copies there are."""

    id: str
    kind: str
    copies: int


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    probe = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"strace may not trace here: {probe.stderr.decode(errors='replace').strip()}")
    made = new_host(tmp_path_factory.mktemp("traced") / "host", people=PEOPLE)
    host = TracedHost(made.organisation, made.directory)
    host.start()
    try:
        host.wait_until_ready(("smtp",))
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="module")
def accepted(host):
    """Messages one after the other, a large one, and then many sessions at the same moment."""
    people = host.organisation.people
    one = Accepted(hand_in(host, people[:1]), "alone", 1)
    several = Accepted(hand_in(host, people[:3]), "to three", 3)
    large = Accepted(hand_in(host, people[:2], LARGE), "large", 2)
    with ThreadPoolExecutor(PEOPLE) as threads:
        ids = list(threads.map(lambda person: hand_in(host, [person]), people * 3))
    return [one, several, large, *(Accepted(message_id, "at once", 1) for message_id in ids)]


@pytest.fixture(scope="module")
def calls(host, accepted):
    host.stop()
    return [call for call in host.calls() if call.succeeded]


@dataclass(frozen=True)
class Record:
    """A message in the log: the write that holds it, and what it says."""

    write: Call
    description: dict

    @property
    def names(self):
        return [action["name"] for action in self.description["actions"]]


@pytest.fixture(scope="module")
def records(calls):
    """By message id."""
    records = {}
    for call in calls:
        if call.name in ("write", "writev") and is_segment(call.path):
            for text in call.strings:
                for start in re.finditer(rb'\n(?=\{"at":)|^(?=\{"at":)', text):
                    description, _ = json.JSONDecoder().raw_decode(text[start.end() :].decode("latin-1"))
                    records[description["id"]] = Record(call, description)
    return records


def is_segment(path):
    return Path(path).suffix == ".log" and Path(path).parent.name == "intake"


def the(calls):
    """The only one."""
    calls = list(calls)
    assert len(calls) == 1, calls
    return calls[0]


def answer(calls, message_id):
    """Where a message's 250 is sent."""
    line = f"250 2.0.0 Accepted as {message_id}\r\n".encode()
    return the(call for call in calls if call.name in ("sendto", "sendmsg", "write") and line in call.strings)


def first(calls, name, path, after):
    """The first call of that name on a path that begins after another has ended."""
    found = (call for call in calls if (call.name, call.path) == (name, path) and call.begin > after.end)
    call = next(found, None)
    assert call is not None, f"no {name} of {path}"
    return call


def first_sync(calls, record):
    """The first sync of the segment that begins after the record was written."""
    return first(calls, "fdatasync", record.write.path, record.write)


@pytest.mark.row(53)
def test_each_250_comes_after_the_sync_that_covers_it(accepted, calls, records):
    for message in accepted:
        sync = first_sync(calls, records[message.id])
        assert sync.result == "0"
        assert sync.end < answer(calls, message.id).begin, message


@pytest.mark.row(53)
def test_each_250_comes_after_every_copy_is_laid(accepted, calls, records):
    """And none is laid before the log has it for good: what a reader sees must not vanish."""
    renames = [call for call in calls if call.name.startswith("rename")]
    for message in accepted:
        record = records[message.id]
        assert len(record.names) == message.copies
        for name in record.names:
            laid = the(call for call in renames if call.strings[0].endswith(f"/tmp/{name}".encode()))
            assert laid.strings[1].endswith(f"/new/{name}".encode())
            assert first_sync(calls, record).end < laid.begin, message
            assert laid.end < answer(calls, message.id).begin, message


@pytest.mark.row(53)
def test_the_log_itself_is_found_again(accepted, calls, records):
    """A new segment's name is synced before the first 250 that relies on it."""
    for path in {record.write.path for record in records.values()}:
        opens = [call for call in calls if call.name.startswith("open") and call.strings == [path.encode()]]
        named = first(calls, "fsync", str(Path(path).parent), opens[0])
        relying = [message.id for message in accepted if records[message.id].write.path == path]
        assert all(named.end < answer(calls, message_id).begin for message_id in relying)


@pytest.mark.row(53)
def test_a_large_message_is_synced_before_the_log_names_it(accepted, calls, records):
    message = next(message for message in accepted if message.kind == "large")
    record = records[message.id]
    spooled = Path(record.write.path).parent / "spool" / record.description["spool"]
    writes = [call for call in calls if call.name.startswith("write") and call.path == str(spooled)]
    content = the(call for call in calls if call.name == "fdatasync" and call.path == str(spooled))
    name = first(calls, "fsync", str(spooled.parent), writes[0])
    assert sum(int(call.result) for call in writes) == record.description["octets"] > LARGE * 0.9
    assert max(call.end for call in writes) < content.begin
    assert max(content.end, name.end) < record.write.begin


def test_sessions_share_a_sync(accepted, calls, records):
    """That many at once really wait for the same sync, or the order above was tried one by one only."""
    at_once = [records[message.id] for message in accepted if message.kind == "at once"]
    assert len({first_sync(calls, record).begin for record in at_once}) < len(at_once)
