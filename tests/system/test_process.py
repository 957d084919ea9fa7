"""The server as a process: stopped in order, started again, and as a daemon of twistd."""

import os
import pwd
import signal
import smtplib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from exchange import SECONDS, assert_one, deliver, mailbox, unique_ids
from real_host import new_host

from mailsys.lab.organisation import Person


def wait_for(is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def test_a_restart_keeps_mail_and_unique_ids(own_host, letter):
    someone = own_host.organisation.people[0]
    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, someone, letter)
    deliver(own_host, someone, letter)
    before = unique_ids(own_host, someone)
    assert len(set(before)) == 2
    own_host.stop()
    own_host.start()
    own_host.wait_until_ready()
    assert unique_ids(own_host, someone) == before


def test_a_killed_server_has_what_it_acknowledged(own_host, letter):
    someone = own_host.organisation.people[0]
    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, someone, letter)
    own_host.kill()
    own_host.start()
    own_host.wait_until_ready()
    assert_one(mailbox(own_host, someone), letter)


def test_sigterm_ends_it_in_order(own_host, letter):
    """It exits with 0, soon, although a client sits there idle."""
    own_host.start()
    own_host.wait_until_ready()
    where = own_host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        client.ehlo()
        began = time.monotonic()
        assert own_host.stop() == 0
        assert time.monotonic() - began < 10
        client.close()


@pytest.mark.parametrize("program", ["twistd", "twist"])
def test_under_twisted(own_host, letter, tmp_path, program):
    """``twistd`` is the classic daemon, ``twist`` stays in the foreground; both find the plugin."""
    command = Path(sys.executable).with_name(program)
    config = ("mailsys", "--config", str(own_host.config))
    someone = own_host.organisation.people[0]
    if program == "twistd":
        pid_file, log = tmp_path / "twistd.pid", tmp_path / "twistd.log"
        subprocess.run([command, "--pidfile", pid_file, "--logfile", log, *config], check=True, timeout=60)
        wait_for(pid_file.exists)
        pid = int(pid_file.read_text())
        is_gone = lambda: not Path(f"/proc/{pid}").exists()  # noqa: E731
    else:
        process = subprocess.Popen([command, *config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pid = process.pid
        # After an orderly end twist dies of the signal that it was sent.
        is_gone = lambda: process.poll() in (0, -signal.SIGTERM)  # noqa: E731
    try:
        wait_for(own_host.is_ready)
        deliver(own_host, someone, letter)
        assert_one(mailbox(own_host, someone), letter)
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for(is_gone)


@pytest.fixture
def nobody(open_folder):
    """The user nobody, where root can become it and Python can then still be read."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    user = pwd.getpwnam("nobody")
    probe = [sys.executable, "-c", "import encodings.ascii, mailsys.service"]
    try:
        subprocess.run(probe, user=user.pw_uid, cwd=open_folder, capture_output=True, check=True, timeout=60)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("this Python cannot be read by other users")
    return user


def test_started_as_root_it_becomes_the_user(nobody, open_folder, letter):
    """What root does with the command line beside the server stays within the user's reach."""
    host = new_host(open_folder / "own", "--user", "nobody")
    host.start()
    try:
        host.wait_until_ready()
        status = Path(f"/proc/{host.pid}/status").read_text()
        for who, number in (("Uid", nobody.pw_uid), ("Gid", nobody.pw_gid)):
            assert f"{who}:\t{number}\t{number}\t{number}\t{number}\n" in status
        host.run("account", "add", "late@system.test", "--password-stdin", told="secret late\n")
        late = Person("late@system.test", "secret late")
        deliver(host, late, letter)
        assert_one(mailbox(host, late), letter)
        owners = {path.stat().st_uid for path in (host.directory / "data").rglob("*")}
        assert owners == {nobody.pw_uid}
    finally:
        host.stop()
