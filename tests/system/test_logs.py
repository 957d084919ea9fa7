"""The log of a whole server, under each program that starts it, and through logrotate."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from attacked_host import CONTROL, Stranger
from exchange import SECONDS, deliver, needs, run

EVIL_NAME = "\u202eevil".encode()
EVIL = EVIL_NAME + b"\x1b[31m"


def configure(host, text):
    host.config.write_text(host.config.read_text() + text)


def wait_for(is_so):
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


PROGRAMS = {
    "serve": [sys.executable, "-m", "mailsys", "--config", "CONFIG", "serve"],
    "twist": ["twist", "mailsys", "--config", "CONFIG"],
    "twistd -n": ["twistd", "-n", "--pidfile=", "mailsys", "--config", "CONFIG"],
}


@pytest.fixture(params=list(PROGRAMS))
def started(request, own_host, tmp_path):
    """A server with JSON lines on its standard output, which is returned with the host."""
    configure(own_host, '[log]\nformat = "json"\n')
    program, *options = [
        str(own_host.config) if word == "CONFIG" else word for word in PROGRAMS[request.param]
    ]
    if not os.path.isabs(program):
        program = str(Path(sysconfig.get_path("scripts")) / program)
    out = tmp_path / "out"
    with out.open("wb") as stream:
        process = subprocess.Popen([program, *options], stdout=stream, stderr=stream, cwd=tmp_path)
    try:
        wait_for(own_host.is_ready)
        yield own_host, out
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.mark.row(63)
def test_json_is_one_event_a_line(started, letter):
    host, out = started
    deliver(host, host.organisation.people[0], letter.replace(b"Subject: ", b"Subject: " + EVIL))
    with Stranger(attacked(host, out)) as stranger:
        stranger.ask(b"EHLO a\x1b[31mb")
        stranger.ask(b"EHLO " + EVIL)
        stranger.ask(b"EHLO a.example")
        assert stranger.ask(b"MAIL FROM:<> SMTPUTF8").startswith("250")
        assert stranger.ask(b"RCPT TO:<" + EVIL_NAME + b"@system.test>").startswith("550")
        stranger.ask(b"QUIT")
    with Stranger(attacked(host, out), "pop3") as stranger:
        assert stranger.ask(b"USER " + EVIL_NAME).startswith("+OK")
        assert stranger.ask(b"PASS secret-of-somebody").startswith("-ERR")
    wait_for(lambda: b"login failed" in out.read_bytes() and b"refused RCPT" in out.read_bytes())
    lines = out.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert all({"time", "level", "namespace", "text"} <= set(event) for event in events)
    assert not any(CONTROL.search(event["text"]) for event in events)
    assert len(lines) == len(set(lines))  # no line is there twice
    accepted = [event for event in events if "accepted" in event["text"]]
    assert len(accepted) == 1
    assert accepted[0]["text"].startswith(accepted[0]["id"])
    assert sum("listens at" in event["text"] for event in events) == 8
    assert "secret-of-somebody" not in out.read_text()


def attacked(host, log):
    """The host, with the log where this test has it."""
    host.log = log
    return host


def test_twistd_as_a_daemon_logs_as_configured(own_host, tmp_path, letter):
    configure(own_host, '[log]\nformat = "json"\n')
    log, pid_file = tmp_path / "x.log", tmp_path / "x.pid"
    twistd = Path(sysconfig.get_path("scripts")) / "twistd"
    run(twistd, "--pidfile", pid_file, "--logfile", log, "mailsys", "--config", own_host.config, cwd=tmp_path)
    pid = int(pid_file.read_text())
    try:
        wait_for(own_host.is_ready)
        log.rename(tmp_path / "x.log.1")
        os.kill(pid, signal.SIGUSR1)
        wait_for(log.exists)
        deliver(own_host, own_host.organisation.people[0], letter)
        wait_for(lambda: "accepted" in log.read_text())
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not Path(f"/proc/{pid}").exists())
    for path in (log, tmp_path / "x.log.1"):
        assert all(json.loads(line)["text"] for line in path.read_text().splitlines())
    assert not list(tmp_path.glob("twistd.log*"))


def test_text_is_for_people(own_host, letter):
    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, own_host.organisation.people[0], letter)
    assert own_host.stop() == 0
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[(mailsys|twisted)[a-z.]*#(info|warn)\] \S.*"
    lines = own_host.log.read_text().splitlines()
    assert len(lines) > 5
    assert [one for one in lines if not re.fullmatch(line, one)] == []


@needs("logrotate")
def test_logrotate_takes_the_file_away(own_host, tmp_path, repository, letter):
    """With etc/logrotate, but for where the file lies and how the server is told."""
    log = tmp_path / "logs" / "mailsys.log"
    log.parent.mkdir(mode=0o755)
    configure(own_host, f'[log]\nfile = "{log}"\n')
    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, own_host.organisation.people[0], letter)
    wait_for(lambda: "accepted" in log.read_text())
    text = (repository / "etc" / "logrotate").read_text()
    told = "systemctl kill --kill-whom=main --signal=USR1 mailsys.service"
    assert told in text
    user = f"{own_uid()} {own_gid()}"
    text = text.replace("/var/log/mailsys/mailsys.log", str(log)).replace(told, f"kill -USR1 {own_host.pid}")
    rules = tmp_path / "rules"
    rules.write_text(text.replace("mailsys mailsys", user))
    rules.chmod(0o644)
    rotate = subprocess.run(
        ["/usr/sbin/logrotate", "--force", "--state", tmp_path / "state", rules],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (rotate.returncode, rotate.stderr) == (0, "")
    wait_for(lambda: "The log begins anew" in log.read_text())
    deliver(own_host, own_host.organisation.people[0], letter)
    wait_for(lambda: "accepted" in log.read_text())
    assert (tmp_path / "logs" / "mailsys.log.1").read_text().count("accepted") == 1


def own_uid():
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def own_gid():
    import grp

    return grp.getgrgid(os.getegid()).gr_name


def test_a_log_that_cannot_be_opened_is_told(own_host, tmp_path):
    configure(own_host, f'[log]\nfile = "{tmp_path}/no/such/folder/log"\n')
    told = subprocess.run(
        [sys.executable, "-m", "mailsys", "--config", own_host.config, "serve"],
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (
        1,
        f"mailsys: The log {tmp_path}/no/such/folder/log cannot be opened: No such file or directory.\n",
    )
