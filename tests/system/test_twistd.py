"""Twisted's own programs start the same server: ``twistd`` as a daemon, ``twist`` in the foreground."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from exchange import assert_one, deliver, mailbox
from real_host import new_host

SECONDS = 30


def wait_for(is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


class Twistd:
    """``twistd`` with a pidfile and a log in a folder."""

    def __init__(self, host, folder):
        self.host = host
        self.pid_file = folder / "twistd.pid"
        self.log = folder / "twistd.log"

    def run(self, *options, program="twistd"):
        python = [sys.executable, Path(sysconfig.get_path("scripts")) / program]
        if program == "twistd":
            python += ["--pidfile", self.pid_file, "--logfile", self.log]
        return subprocess.run(
            [*python, *options, "mailsys", "--config", self.host.config],
            capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.pid_file.parent,
        )  # fmt: skip

    @property
    def pid(self):
        return int(self.pid_file.read_text())

    def stop(self):
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not Path(f"/proc/{pid}").exists())


@pytest.fixture
def twistd(own_host, tmp_path):
    return Twistd(own_host, tmp_path)


def assert_one_sentence(ended, words):
    assert ended.returncode == 1
    assert words in ended.stderr
    assert ended.stderr.startswith("mailsys: ")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_twistd_is_the_classic_daemon(twistd, letter):
    host = twistd.host
    someone = host.organisation.people[0]
    assert twistd.run().returncode == 0
    try:
        wait_for(host.is_ready)
        deliver(host, someone, letter)
        assert_one(mailbox(host, someone), letter)
        assert (host.directory / "data" / "lock").read_text() == f"{twistd.pid}\n"
        assert os.getsid(twistd.pid) != os.getsid(0)
    finally:
        twistd.stop()
    assert not twistd.pid_file.exists()


def test_twist_stays_in_the_foreground(own_host, letter):
    someone = own_host.organisation.people[0]
    command = [Path(sysconfig.get_path("scripts")) / "twist", "mailsys", "--config", own_host.config]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(own_host.is_ready)
        deliver(own_host, someone, letter)
        assert_one(mailbox(own_host, someone), letter)
    finally:
        process.terminate()
    # After an orderly end twist dies of the signal that it was sent.
    assert process.wait(SECONDS) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("program", ["twistd", "twist"])
def test_a_port_that_is_taken_is_told_before_there_is_a_daemon(twistd, program):
    where = twistd.host.organisation
    with socket.create_server((where.address, where.port("pop3"))):
        ended = twistd.run(program=program)
    assert_one_sentence(ended, f"pop3 cannot listen at tcp:{where.port('pop3')}:interface={where.address}: ")
    assert "another program has this port" in ended.stderr
    assert not twistd.pid_file.exists()


@pytest.mark.parametrize("program", ["twistd", "twist"])
def test_a_mistake_in_the_configuration_is_told_without_the_usage(twistd, program):
    twistd.host.config.write_text('hostname = "mail.example.org"\nhostnaem = ""\n')
    assert_one_sentence(twistd.run(program=program), "hostnaem")


def test_a_second_start_is_told(twistd, tmp_path):
    """With the same pidfile Twisted notices, with another one our own lock does."""
    assert twistd.run().returncode == 0
    try:
        wait_for(twistd.host.is_ready)
        again = twistd.run()
        assert again.returncode == 1
        assert f"PID {twistd.pid}" in again.stderr
        (tmp_path / "other").mkdir()
        other = Twistd(twistd.host, tmp_path / "other").run()
        assert_one_sentence(other, f"Another mailsys is running (process {twistd.pid})")
        assert twistd.host.is_ready()
    finally:
        twistd.stop()


def test_a_pidfile_of_a_process_that_is_no_more_does_not_matter(twistd):
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    twistd.pid_file.write_text(str(gone.pid))
    assert twistd.run().returncode == 0
    try:
        wait_for(twistd.host.is_ready)
        assert twistd.pid != gone.pid
    finally:
        twistd.stop()


def test_whom_it_becomes_is_named_once(nobody, open_folder):
    """--uid works in place of [process] user, or says the same."""
    host = new_host(open_folder / "own", "--user", "nobody")
    text = host.config.read_text()
    for configured in ("nobody", ""):
        host.config.write_text(text.replace('user = "nobody"', f'user = "{configured}"'))
        twistd = Twistd(host, open_folder)
        assert twistd.run("--uid", "nobody").returncode == 0
        try:
            wait_for(host.is_ready)
            status = Path(f"/proc/{twistd.pid}/status").read_text()
            assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}\t{nobody.pw_uid}\t{nobody.pw_uid}\n" in status
            assert (host.directory / "data" / "lock").stat().st_uid == nobody.pw_uid
        finally:
            twistd.stop()


CONTRADICTIONS = [
    (["--uid", "daemon"], '--uid daemon and [process] user = "nobody" contradict each other'),
    (["--gid", "daemon"], "--gid has no effect without --uid"),
    (["--uid", "nobody", "--euid"], "leave it out"),
    (["--uid", "4242"], "this machine has no such user"),
]


@pytest.mark.parametrize(
    ("options", "words"), CONTRADICTIONS, ids=[" ".join(case[0]) for case in CONTRADICTIONS]
)
def test_what_contradicts_is_told(nobody, open_folder, options, words):
    assert pwd.getpwnam("daemon").pw_uid != nobody.pw_uid
    host = new_host(open_folder / "own", "--user", "nobody")
    assert_one_sentence(Twistd(host, open_folder).run(*options), words)
