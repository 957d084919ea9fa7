"""``mailsys explain`` with a DNS: who sent it, for programs and for people."""

import io
import json
import subprocess
import sys

import pytest

from mailsys.control import main
from mailsys.lab.names import ADDRESS, NameServerProcess
from mailsys.lab.ports import choose_port_base

ZONE = """\
mx.example.com. 60 A 192.0.2.1
1.2.0.192.in-addr.arpa. 60 PTR mx.example.com.
example.com. 60 TXT "v=spf1 a:mx.example.com exp=why.example.com -all"
why.example.com. 60 TXT "%{i} is none of our hosts"
_dmarc.example.com. 60 TXT "v=DMARC1; p=quarantine"
"""


@pytest.fixture(scope="module")
def explain(tmp_path_factory):
    """Run the command, in a process of its own as it may have to wait for DNS."""
    folder = tmp_path_factory.mktemp("explain")
    names = NameServerProcess(folder, choose_port_base([ADDRESS], None) + 53)
    names.write(ZONE.splitlines())
    names.start()
    config = folder / "host" / "mailsys.toml"
    assert main(["init", str(folder / "host"), "--domain", "our.example", "--port-base", "20000"]) == 0
    with config.open("a") as file:
        file.write(f'\n[dns]\nservers = ["{ADDRESS}:{names.port}"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"secret\n")))
        assert main(["--config", str(config), "account", "add", "ann@our.example", "--password-stdin"]) == 0
    message = folder / "message"
    message.write_text("From: friend@example.com\nSubject: hello\n\nhello\n")

    def explain(*words):
        command = [sys.executable, "-m", "mailsys", "--config", str(config), "explain"]
        command += ["--to", "ann@our.example", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout

    explain.message = str(message)
    try:
        names.wait_until_ready()
        yield explain
    finally:
        names.stop()


def test_every_result_for_programs(explain):
    found = explain(
        "--json", "--from", "a@example.com", "--ip", "192.0.2.9", "--helo", "x.example.com", explain.message
    )
    assert found["spf"]["result"] == "fail"
    assert found["spf"]["domain"] == "example.com"
    assert found["spf"]["explanation"] == "192.0.2.9 is none of our hosts"
    assert found["spf"]["helo"]["result"] == "none"
    assert found["iprev"]["result"] == "permerror"
    assert found["dkim"] == []
    # At its first try it would be asked to come again; the message is judged all the same.
    assert found["recipients"][0]["reply"].startswith("451 4.7.1 Nobody vouches for your host yet")
    assert (found["dmarc"]["result"], found["dmarc"]["policy"]) == ("fail", "quarantine")
    assert found["dmarc"]["domain"] == "example.com"
    assert found["verdict"]["action"] == "junk"
    assert "p=quarantine" in found["verdict"]["reason"]


def test_for_people(explain):
    told = explain(
        "--from", "a@example.com", "--ip", "192.0.2.1", "--helo", "mx.example.com", explain.message
    )
    assert "Checked: iprev: accept (pass: 192.0.2.1 is mx.example.com)." in told
    assert "Checked: policy: accept (example.com vouches for it (DMARC): spf passes for example.com)." in told
    assert "folder INBOX" in told


@pytest.mark.parametrize(
    ("sender", "helo", "result"),
    [
        ("a@example.com", "OEMCOMPUTER", "fail"),
        ("", "example.com", "fail"),
        ("@example.com", "x.example", "fail"),
        ("a@A...example.com", "x.example", "none"),
        ("a@example.com", "JUMPIN' JUPITER", "fail"),
    ],
)
def test_spf_of_senders_that_no_session_would_have(explain, sender, helo, result):
    found = explain("--json", "--from", sender, "--ip", "192.0.2.9", "--helo", helo)
    assert found["spf"]["result"] == result
