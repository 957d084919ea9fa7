"""``mailsys status`` beside a server, and without one."""

import json
import os
import socket
import subprocess
import sys

from exchange import SECONDS, deliver, logged_in, mailbox

import mailsys


def status(host, *options, **more):
    return subprocess.run(
        [sys.executable, "-m", "mailsys", "--config", str(host.config), "status", *options],
        capture_output=True, text=True, timeout=SECONDS, check=False, **more,
    )  # fmt: skip


def test_a_server_that_runs(own_host, letter):
    own_host.start()
    own_host.wait_until_ready()
    where = own_host.organisation
    deliver(own_host, where.people[0], letter)
    mailbox(own_host, where.people[0])
    with socket.create_connection((where.address, where.port("smtp")), timeout=SECONDS) as client:
        client.recv(100)
        told = status(own_host, "--json")
    assert told.returncode == 0
    facts = json.loads(told.stdout)
    assert facts["running"] is True
    assert (facts["phase"], facts["version"], facts["pid"]) == ("serving", mailsys.__version__, own_host.pid)
    services = {listener["service"] for listener in facts["listeners"]}
    assert services == {"smtp", "submission", "pop3", "imap", "lmtp"}
    assert facts["connections"] == 1
    assert facts["queue"] == 0
    assert facts["today"]["received"] == 1
    assert facts["today"]["login"] == 1
    lines = status(own_host).stdout.splitlines()
    assert "queue        0 messages" in lines
    assert lines[0].startswith(
        f"mailsys {mailsys.__version__} on mail.system.test is serving, process {own_host.pid}"
    )
    assert any(line.startswith("today        1 accepted, 0 refused, 1 logins") for line in lines)


def test_no_server(own_host):
    told = status(own_host)
    assert told.returncode == 1
    assert told.stderr == f"mailsys: No server runs with the data folder {own_host.directory / 'data'}.\n"
    told = status(own_host, "--json")
    assert (told.returncode, json.loads(told.stdout)) == (1, {"running": False})


def test_a_server_that_was_killed_does_not_run(own_host):
    own_host.start()
    own_host.wait_until_ready()
    own_host.kill()
    assert "No server runs" in status(own_host).stderr
    own_host.start()
    own_host.wait_until_ready()
    assert status(own_host).returncode == 0


def test_a_server_that_does_not_answer(own_host, monkeypatch):
    own_host.start()
    own_host.wait_until_ready()
    os.unlink(own_host.directory / "data" / "control")
    told = status(own_host)
    assert told.returncode == 1
    assert f"The server runs (process {own_host.pid}), but does not answer: No such file" in told.stderr


def test_what_is_wrong_is_told(own_host):
    own_host.config.write_text(
        own_host.config.read_text().replace("[limits]", '[limits]\nfree_space = "900000G"')
    )
    own_host.start()
    own_host.wait_until_ready()
    wrong = json.loads(status(own_host, "--json").stdout)["wrong"]
    assert any("new mail is refused" in sentence and "the reserve is" in sentence for sentence in wrong)
    assert "new mail is refused" in status(own_host).stdout
    client = logged_in(own_host, own_host.organisation.people[0])
    assert client.stat() == (0, 0)
    client.quit()
