"""Started as root, the server is nobody in particular once its ports are open, and cannot go back."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from exchange import assert_one, deliver, mailbox, run
from real_host import ADDRESS, new_host
from service_manager import ServiceManager

from mailsys.lab.organisation import Person

LOW_PORT = 24  # LMTP's; on an address of our own nobody has it


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def assert_is_nobody(pid, user):
    """In every thread: no root among its users and groups, and no capability that it could use."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        status = status_of(f"{pid}/task/{thread.name}")
        assert set(status["Uid"].split()) == {str(user.pw_uid)}
        assert set(status["Gid"].split()) == {str(user.pw_gid)}
        assert "0" not in status["Groups"].split()
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[kind], 16) == 0, kind


@pytest.mark.row(62)
def test_started_as_root_it_becomes_the_user(nobody, open_folder, letter):
    """What root does with the command line beside the server stays within the user's reach."""
    host = new_host(open_folder / "own", "--user", "nobody")
    text = host.config.read_text()
    low = f'[[listen]]\nservice = "lmtp"\nendpoint = "tcp:{LOW_PORT}:interface={ADDRESS}"\n'
    host.config.write_text(text + low)
    host.start()
    try:
        host.wait_until_ready()
        assert_is_nobody(host.pid, nobody)
        limits = Path(f"/proc/{host.pid}/limits").read_text()
        assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [
            ["1", "1"]
        ]
        with socket.create_connection((ADDRESS, LOW_PORT), timeout=20) as client:
            assert client.recv(100).startswith(b"220 ")
        host.run("account", "add", "late@system.test", "--password-stdin", told="secret late\n")
        late = Person("late@system.test", "secret late")
        deliver(host, late, letter)
        assert_one(mailbox(host, late), letter)
        files = list((host.directory / "data").rglob("*"))
        assert {path.lstat().st_uid for path in files} == {nobody.pw_uid}
        assert not any(path.lstat().st_mode & 0o077 for path in files if path.is_file())
    finally:
        host.stop()


@pytest.mark.row(62)
def test_capabilities_of_a_service_manager_are_given_up(nobody, open_folder, letter):
    """As etc/mailsys.service does it: not root, but with the right to open low ports, until that is done."""
    host = new_host(open_folder / "own", "--user", "nobody")
    low = f'[[listen]]\nservice = "lmtp"\nendpoint = "tcp:{LOW_PORT}:interface={ADDRESS}"\n'
    host.config.write_text(host.config.read_text() + low)
    manager = ServiceManager(host, open_folder)
    os.chown(open_folder / "notify", nobody.pw_uid, nobody.pw_gid)
    try:
        manager.start(
            "/usr/bin/setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
            "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", "--no-new-privs",
        )  # fmt: skip
        manager.hear(["READY", "1"])
        assert_is_nobody(manager.process.pid, nobody)
        assert status_of(manager.process.pid)["NoNewPrivs"] == "1"
        deliver(host, host.organisation.people[0], letter)
        assert manager.stop() == 0
    finally:
        manager.close()


@pytest.mark.row(62)
def test_a_key_that_only_root_may_read_does_for_a_start(nobody, open_folder):
    host = new_host(open_folder / "own", "--user", "nobody")
    key = host.directory / "tls" / "key.pem"
    os.chown(key, 0, 0)
    key.chmod(0o600)
    host.start()
    try:
        host.wait_until_ready(("smtp", "pop3"))
        assert_is_nobody(host.pid, nobody)
    finally:
        assert host.stop() == 0


def test_data_of_somebody_else_is_told(nobody, open_folder):
    host = new_host(open_folder / "own", "--user", "nobody")
    data = host.directory / "data"
    os.chown(data, 0, 0)
    ended = subprocess.run(
        [sys.executable, "-m", "mailsys", "--config", host.config, "serve"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr == (
        f"mailsys: The data folder {data} belongs to root, and nobody may not write there: give it away with"
        f" 'chown -R nobody {data}', or run the server as its owner.\n"
    )


def test_another_user_than_the_configured_one_is_told(nobody, open_folder):
    host = new_host(open_folder / "own", "--user", "nobody")
    text = host.config.read_text()
    host.config.write_text(text.replace('user = "nobody"', 'user = "daemon"'))
    ended = subprocess.run(
        [sys.executable, "-m", "mailsys", "--config", host.config, "serve"],
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd=open_folder,
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert 'user = "daemon", but mailsys was started as nobody, who cannot become daemon' in ended.stderr


@pytest.fixture
def read_only(own_host):
    """The host's data folder, mounted for reading only."""
    data = own_host.directory / "data"
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    mounted = subprocess.run(["mount", "--bind", data, data], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        run("mount", "-o", "remount,bind,ro", data)
        yield data
    finally:
        run("umount", data)


def test_a_disk_that_is_read_only_is_told(own_host, read_only):
    ended = subprocess.run(
        [sys.executable, "-m", "mailsys", "--config", own_host.config, "serve"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "is on a file system that is mounted read-only" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_this_process_may_have_had_core_dumps():
    """The test above would say nothing where nobody may have any."""
    assert resource.getrlimit(resource.RLIMIT_CORE)[1] != 1
