import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from journal_scenes import NOON, accepted, delivered, message
from twisted.logger import formatEvent
from zope.interface.verify import verifyObject

from mailsys.interfaces import IJournal, JournalEvent
from mailsys.journal import backlog as backlog_module
from mailsys.journal import writer
from mailsys.journal.backlog import Backlog
from mailsys.journal.writer import Journal


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal.sqlite3")


@pytest.fixture
def said():
    """What was written to the log."""
    return []


@pytest.fixture
def journal(path, said):
    journal = Journal(path, observer=lambda event: said.append(formatEvent(event)))
    journal.start()
    yield journal
    journal.close()


def rows(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT id, key FROM events ORDER BY id, key").fetchall()
    finally:
        connection.close()


def is_written(path, count):
    """Are there so many events?  The file may be about to be made."""
    try:
        return len(rows(path)) == count
    except sqlite3.OperationalError:
        return False


def eventually(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Disk:
    """Connects to a real SQLite that may be told that the disk is full (or hears it from its limit)."""

    def __init__(self):
        self.is_full = False
        self.connections = 0

    def __call__(self, *arguments, **options):
        self.connections += 1
        connection = sqlite3.connect(*arguments, **options)
        if self.is_full:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {max(1, pages)}")
        return connection


def many(first, count):
    """Events of a size that soon needs new pages."""
    return [
        JournalEvent(f"id{first + n:06d}", "k", NOON, {"event": "odd", "text": "x" * 3000})
        for n in range(count)
    ]


def test_it_is_a_journal(journal):
    assert verifyObject(IJournal, journal)


def test_events_are_written_soon_without_being_asked(journal, path):
    for event in message():
        journal.record(event)
    eventually(lambda: is_written(path, 2))


def test_after_a_flush_all_is_there(journal, path):
    for number in range(1200):
        journal.record(delivered(f"4k2m9x7qa.{number}"))
    journal.flush()
    assert len(rows(path)) == 1200


def test_recording_the_same_again_leaves_one(journal, path):
    for event in (*message(), *message(at=NOON + 7)):
        journal.record(event)
    journal.flush()
    for event in message():
        journal.record(event)
    journal.flush()
    assert len(rows(path)) == 2


def test_closing_writes_what_is_left(path):
    journal = Journal(path, observer=lambda event: None)
    journal.record(accepted())
    journal.close()  # never started: at a start that failed
    started = Journal(path, observer=lambda event: None)
    started.start()
    started.record(delivered())
    started.close()
    assert len(rows(path)) == 2
    with pytest.raises(OSError, match="closed"):
        started.flush()
    started.close()


def test_many_threads_may_record_and_flush(journal, path):
    def work(number):
        for n in range(200):
            journal.record(delivered(f"{number}.{n}"))
        journal.flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(rows(path)) == 1000


def test_recording_never_waits(journal):
    events = [delivered(f"4k2m9x7qa.{number}") for number in range(3000)]
    begin = time.perf_counter()
    for event in events:
        journal.record(event)
    assert (time.perf_counter() - begin) / len(events) < 0.0005  # measured 1 µs; a sync would be much more


PROGRAM = """
import sys
from mailsys.interfaces import JournalEvent
from mailsys.journal.writer import Journal
journal = Journal(sys.argv[1])
journal.start()
for number in range(300):
    journal.record(JournalEvent(str(number), "key", 1.0, {"event": "received"}))
journal.flush()
print("flushed", flush=True)
journal.record(JournalEvent("later", "key", 1.0, {"event": "received"}))
sys.stdin.read()
"""


def run_program(path, *before):
    return subprocess.Popen(
        [*before, sys.executable, "-c", PROGRAM, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(os.path.dirname(__file__)))},
    )


def test_a_killed_process_keeps_what_was_flushed(path):
    process = run_program(path)
    assert process.stdout.readline() == b"flushed\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert {str(number) for number in range(300)} <= {id_ for id_, _ in rows(path)}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_flush_returns_only_after_the_disk_has_it(path, tmp_path):
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=write,pwrite64,fsync,fdatasync"]
    process = run_program(path, *strace)
    _, _ = process.communicate(timeout=60)
    if process.returncode or not trace.exists():
        pytest.skip("strace may not trace here")
    calls = trace.read_text().splitlines()
    flushed = next(n for n, call in enumerate(calls) if '"flushed' in call)
    of_log = [call for call in calls[:flushed] if "-wal>" in call]
    assert any("pwrite64" in call for call in of_log)
    assert "sync(" in of_log[-1]


def test_what_a_full_disk_does_not_take_is_written_later(path, said, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    disk = Disk()
    journal = Journal(path, connect=disk, observer=lambda event: said.append(formatEvent(event)))
    journal.start()
    journal.record(accepted())
    journal.flush()
    disk.is_full = True
    journal._backlog._database.close()  # the thread is idle: a limit is a connection's
    for event in many(0, 50):
        journal.record(event)
    with pytest.raises(OSError, match="full"):
        journal.flush()
    tries = disk.connections
    eventually(lambda: disk.connections > tries + 2)
    assert len(rows(path)) == 1
    disk.is_full = False
    eventually(lambda: is_written(path, 51))
    journal.close()
    assert len([line for line in said if "cannot be written" in line]) == 1
    assert [line for line in said if "written again" in line] == ["The journal is written again."]
    assert not [line for line in said if "lost" in line]


def test_memory_is_bounded_while_the_disk_is_full(path, said):
    disk = Disk()

    def refuse(*arguments, **options):
        raise sqlite3.OperationalError("database or disk is full")

    journal = Journal(
        path, connect=refuse, events_in_memory=100, observer=lambda event: said.append(formatEvent(event))
    )
    journal.start()
    for event in many(0, 1000):
        journal.record(event)
        assert len(journal._recorded) <= 100
    with pytest.raises(OSError, match="full"):
        journal.flush()
    assert len(journal._backlog._waiting) <= 100
    journal._backlog._database._connect = disk
    journal.flush()
    journal.close()
    kept = [id_ for id_, _ in rows(path)]
    assert kept == [f"id{n:06d}" for n in range(900, 1000)]  # the newest
    assert [line for line in said if "lost" in line] == [
        "900 events of the journal were lost while it could not be written."
    ]


def test_what_can_never_be_written_is_counted_at_the_end(tmp_path, said):
    journal = Journal(
        str(tmp_path / "missing" / "journal.sqlite3"), observer=lambda event: said.append(formatEvent(event))
    )
    journal.start()
    journal.record(accepted())
    journal.close()
    assert "1 events of the journal were lost while it could not be written." in said


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_damaged_file_is_set_aside_and_nothing_stops(path, said, monkeypatch, when):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    journal = Journal(path, now=lambda: NOON, observer=lambda event: said.append(formatEvent(event)))
    if when == "during":
        journal.start()
        for event in many(0, 300):
            journal.record(event)
        journal.flush()
        journal._backlog._database.close()  # the thread is idle
    with open(path, "r+b" if when == "during" else "wb") as file:
        file.write(b"\xff" * 200_000)
    if when == "before":
        journal.start()
    for event in message():
        journal.record(event)
    aside = f"{path}.damaged-{int(NOON)}"
    eventually(lambda: os.path.exists(aside))
    eventually(lambda: is_written(path, 2))
    journal.close()
    told = next(line for line in said if "damaged" in line)
    assert aside in told
    assert "a new one is begun" in told


def test_an_event_that_breaks_a_rule_does_not_stop_the_others(path, said, monkeypatch):
    monkeypatch.setattr(backlog_module, "BATCH_EVENTS", 1)
    journal = Journal(path, observer=lambda event: said.append(formatEvent(event)))
    journal.start()
    journal.record(JournalEvent("x", "x", "noon", {"event": "received"}))
    journal.record(accepted())
    journal.flush()
    journal.close()
    assert [id_ for id_, _ in rows(path)] == ["4k2m9x7qa.1"]
    assert any("could not be written" in line for line in said)


def test_a_flush_does_not_wait_for_ever(path, monkeypatch):
    """A disk that does not answer: whoever flushes gets its thread back."""
    answers = threading.Event()
    monkeypatch.setattr(writer, "FLUSH_SECONDS", 0.2)
    monkeypatch.setattr(Backlog, "write", lambda backlog: answers.wait(20))
    journal = Journal(path, observer=lambda event: None)
    journal.start()
    try:
        with pytest.raises(OSError, match="not written within"):
            journal.flush()
    finally:
        answers.set()
        journal.close()


def test_an_error_that_nobody_expected_is_told_and_the_journal_goes_on(journal, path, said, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Backlog, "write", lambda backlog: 1 / 0)
        journal.record(accepted())
        with pytest.raises(OSError, match="an error that the log tells of"):
            journal.flush()
    assert any("error that nobody expected" in line for line in said)
    journal.flush()
    assert len(rows(path)) == 1


def test_nobody_waits_for_a_thread_that_has_died(path, said, monkeypatch):
    monkeypatch.setattr(Journal, "_has_work", lambda journal: 1 / 0)
    journal = Journal(path, observer=lambda event: said.append(formatEvent(event)))
    journal.start()
    eventually(lambda: any("not written any more" in line for line in said))
    with pytest.raises(OSError, match="closed"):
        journal.flush()
    journal.record(accepted())
    journal.close()


def test_a_reader_beside_it_holds_nothing_up(journal, path):
    journal.record(accepted())
    journal.flush()
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM events").fetchall()
    journal.record(delivered())
    journal.flush()
    assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)  # its own view
    reader.close()
    assert len(rows(path)) == 2
