"""What keeps a server from starting ends it, with one sentence; and a start can be interrupted."""

import fcntl
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from exchange import deliver

SECONDS = 20


def damaged_accounts(host):
    for path in (host.directory / "data").glob("accounts.sqlite3*"):
        path.write_bytes(b"this is no database" * 1000)
    return "accounts database is damaged"


def newer_accounts(host):
    with sqlite3.connect(host.directory / "data" / "accounts.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 1000")
    return "newer mailsys"


def unreadable_log(host):
    (host.directory / "data" / "intake").write_text("a file where a folder should be")
    return "log of accepted mail cannot be replayed"


def lock_that_is_a_folder(host):
    (host.directory / "data" / "lock").mkdir()
    return "lock cannot be opened"


def no_folder_for_the_socket(host):
    with host.config.open("a") as file:
        file.write('[[listen]]\nservice = "lmtp"\nendpoint = "unix:/no/such/folder/lmtp"\n')
    return "lmtp cannot listen at unix:/no/such/folder/lmtp"


def nothing_to_listen_to(host):
    text = host.config.read_text()
    host.config.write_text(text[: text.index("[[listen]]")])
    return "opens a port"


FAILURES = [
    damaged_accounts,
    newer_accounts,
    unreadable_log,
    lock_that_is_a_folder,
    no_folder_for_the_socket,
    nothing_to_listen_to,
]
by_name = pytest.mark.parametrize("spoil", FAILURES, ids=lambda spoil: spoil.__name__)


def serve(host):
    command = [sys.executable, "-m", "mailsys", "--config", str(host.config), "serve"]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


@by_name
def test_a_failure_at_the_start_ends_it_with_one_sentence(own_host, spoil):
    reason = spoil(own_host)
    ended = serve(own_host)
    assert ended.returncode == 1
    assert reason in ended.stderr
    assert ended.stderr.startswith("mailsys: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stdout


def test_two_servers_on_one_data_folder(own_host):
    with (own_host.directory / "data" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = serve(own_host)
    assert ended.returncode == 1
    assert "Another mailsys is running" in ended.stderr


def test_a_port_that_is_taken(own_host):
    where = own_host.organisation
    with socket.create_server((where.address, where.port("pop3"))):
        ended = serve(own_host)
    assert ended.returncode == 1
    assert f"pop3 cannot listen at tcp:{where.port('pop3')}" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("spoil", [damaged_accounts, unreadable_log], ids=["at once", "while it runs"])
@pytest.mark.parametrize("program", ["twist", "twistd -n"])
def test_twisted_tells_of_a_failure_in_its_exit_status(own_host, tmp_path, program, spoil):
    reason = spoil(own_host)
    name, *options = program.split()
    command = [Path(sys.executable).with_name(name), *options, "mailsys", "--config", own_host.config]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=tmp_path
    )
    assert ended.returncode != 0
    assert reason in ended.stdout + ended.stderr


def test_twistd_tells_who_called_it_that_the_server_did_not_start(own_host, tmp_path):
    damaged_accounts(own_host)
    command = [Path(sys.executable).with_name("twistd"), "mailsys", "--config", own_host.config]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=tmp_path
    )
    assert ended.returncode == 1
    assert "CannotStart" in ended.stderr
    assert not (tmp_path / "twistd.pid").exists()


# ------------------------------------------------------------------ a start that takes long


class SlowReplay:
    """A segment of the log that is a pipe: the replay waits for whoever opens the other end."""

    def __init__(self, host):
        folder = host.directory / "data" / "intake"
        folder.mkdir(exist_ok=True)
        self.path = folder / "1.log"
        os.mkfifo(self.path)
        self._descriptor = None

    def wait_until_begun(self):
        deadline = time.monotonic() + SECONDS
        while self._descriptor is None:
            assert time.monotonic() < deadline, "the replay did not begin"
            try:
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                time.sleep(0.02)

    def let_go_on(self):
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@pytest.fixture
def slow_replay(own_host):
    slow_replay = SlowReplay(own_host)
    own_host.start()
    slow_replay.wait_until_begun()
    yield slow_replay
    slow_replay.let_go_on()


def test_sigterm_during_the_replay_ends_it_in_order(own_host, slow_replay):
    """The ports close at once; the replay is finished, and nobody is served after it."""
    where = own_host.organisation
    own_host.end()
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection((where.address, where.port("smtp")), timeout=SECONDS).close()
        except ConnectionRefusedError:
            break
        assert time.monotonic() < deadline, "the port stays open"
        time.sleep(0.02)
    assert Path(f"/proc/{own_host.pid}").exists()
    slow_replay.let_go_on()
    assert own_host.stop() == 0
    assert "listens at" not in own_host.log.read_text()


def test_sighup_during_the_replay_waits_for_its_end(own_host, slow_replay, letter):
    os.kill(own_host.pid, signal.SIGHUP)
    time.sleep(0.1)
    own_host.check_alive()
    slow_replay.let_go_on()
    own_host.wait_until_ready()
    deliver(own_host, own_host.organisation.people[0], letter)
    assert own_host.stop() == 0
    lines = own_host.log.read_text()
    assert lines.index("listens at") < lines.index("Read configuration and certificates again")
