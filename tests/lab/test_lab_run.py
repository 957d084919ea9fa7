"""``mailsys lab`` as people run it: the story is told, and no host outlives it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.organisation import organisations
from mailsys.lab.ports import choose_port_base

COMMAND = [sys.executable, "-m", "mailsys", "lab"]


def run_lab(*arguments, cwd):
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=100, check=False
    )


def pids_in(output):
    return [int(pid) for pid in re.findall(r"process (\d+)", output)]


def is_running(pid):
    """Is it there, and not only a dead entry that nobody fetched?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def staying_lab(tmp_path):
    """A lab that has told its story and stays; with what it printed until then."""
    process = subprocess.Popen(
        [*COMMAND, "--organisations", "1", "--broken", "--keep", str(tmp_path / "lab")],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.startswith("Ctrl-C"):
            break
    try:
        yield process, "".join(printed)
    finally:
        process.kill()
        process.communicate()
        for pid in filter(is_running, pids_in("".join(printed))):
            os.kill(pid, signal.SIGKILL)


def test_once_tells_the_story_and_leaves_nothing(tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    result = subprocess.run(
        [*COMMAND, "--once"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
        env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    for words in (
        "ada@alpha.test",
        "bea@beta.test",
        "STARTTLS, now TLSv1.3",
        "beta.test MX 10 mail.beta.test.",
        "mail.beta.test got it from mail.alpha.test",
        "mail.alpha.test got it from mail.gamma.test",
        "Connection refused",
        "takes it at attempt 2 over TLSv1.3",
        "mailsys trace",
    ):
        assert words in result.stdout
    told = " ".join(result.stdout.split())
    assert "dkim: accept (pass for alpha.test; pass for alpha.test)" in told
    assert "451 4.7.1 Nobody vouches for your host yet" in told
    assert "550 5.7.26 alpha.test wants mail in its name refused" in told
    assert "(DMARC p=reject): SPF says fail for alpha.test and there is no signature)" in told
    assert "dmarc: accept (pass: dkim passes for alpha.test)" in told
    assert result.stdout.endswith("\nAll of it was read back.\n")
    assert result.stdout.count("it is there, octet for octet") == 3
    pids = pids_in(result.stdout)
    assert len(set(pids)) == 5  # three hosts, one of them twice, and the DNS
    assert not any(map(is_running, pids))
    assert list(temporary.iterdir()) == []


def test_it_stays_and_says_how_to_log_in(staying_lab):
    process, printed = staying_lab
    assert process.poll() is None
    assert "user ada@alpha.test  password ada-alpha" in printed
    assert "swaks --server 127.0.1.1:" in printed
    assert "\n  greylist.test        takes mail at the second attempt\n" in printed
    assert all(map(is_running, pids_in(printed)))


def test_what_an_organisation_publishes_is_right(staying_lab, tmp_path):
    command = [*COMMAND[:-1], "--config", str(tmp_path / "lab" / "alpha" / "mailsys.toml")]
    said = subprocess.run(
        [*command, "domain", "check", "alpha.test"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert said.stdout.count("ok ") == len(said.stdout.splitlines()) - 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_all_hosts(staying_lab, number):
    process, printed = staying_lab
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out.strip(), err) == (0, "Stopping the hosts.", "")
    assert pids_in(printed)
    assert not any(map(is_running, pids_in(printed)))


def test_a_host_that_dies_is_told_with_its_log(staying_lab):
    process, printed = staying_lab
    os.kill(pids_in(printed)[0], signal.SIGKILL)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.startswith("mailsys: mail.alpha.test has ended.  The end of its log:\n    ")


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    result = run_lab("--once", "--keep", str(tmp_path), cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == f"mailsys: {tmp_path} is not empty: name a new directory for the lab.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    "arguments", [("--organisations", "0"), ("--organisations", "9"), ("--port-base", "-1")]
)
def test_wrong_usage(tmp_path, arguments):
    assert run_lab(*arguments, cwd=tmp_path).returncode == 2


def test_a_host_that_cannot_start_shows_why(tmp_path):
    addresses = [one.address for one in organisations(1, 0)]
    (organisation,) = organisations(1, choose_port_base(addresses, None))
    host = Host(organisation, tmp_path / "alpha")
    host.make()
    host.config.write_text(host.config.read_text() + "\nnonsense = 1\n")
    host.start()
    began = time.monotonic()
    try:
        with pytest.raises(LabFailed, match=r"(?s)mail\.alpha\.test has ended.*nonsense"):
            host.wait_until_ready()
    finally:
        host.stop()
    assert time.monotonic() - began < 20
