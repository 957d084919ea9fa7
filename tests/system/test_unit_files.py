"""The files for systemd: systemd's own tool reads them, and the server lives within what they allow."""

import os
import re
import signal
import subprocess
import sys

import pytest
from exchange import deliver, needs, trusting
from service_manager import ServiceManager
from system_calls import read_trace

MOST_EXPOSED = 1.7
CALLS_OF_ROOT = {"fchown", "chown"}  # with which root gives new files to whom the data belongs
by_systemd = needs("systemd-analyze")


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def unit(repository, tmp_path):
    """The service, with a program that is there."""
    text = (repository / "etc" / "mailsys.service").read_text()
    assert "/usr/local/bin/mailsys" in text
    path = tmp_path / "mailsys.service"
    path.write_text(text.replace("/usr/local/bin/mailsys", sys.executable))
    (tmp_path / "mailsys.socket").write_text((repository / "etc" / "mailsys.socket").read_text())
    return path


def setting(unit, name):
    return " ".join(re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE))


@by_systemd
def test_systemd_finds_nothing_wrong(unit):
    found = analyze("verify", unit, unit.with_suffix(".socket"))
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@by_systemd
def test_the_exposure_is_what_the_page_says(unit, repository):
    found = analyze("security", "--offline=true", unit)
    if "unrecognized option" in found.stderr:
        pytest.skip("this systemd-analyze cannot look at files")
    exposure = re.search(r"exposure level for mailsys.service: ([0-9.]+)", found.stdout)[1]
    assert float(exposure) <= MOST_EXPOSED
    assert (
        re.search(r"exposure of ([0-9.]+)", (repository / "docs" / "service.rst").read_text())[1] == exposure
    )


def allowed_calls(unit):
    """The system calls that the filter lets through, as systemd-analyze tells its groups."""
    groups, name = {}, ""
    for line in analyze("syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            groups[name := line.strip()] = set()
        elif line.strip() and not line.strip().startswith("#"):
            groups[name].add(line.strip())

    def calls(names):
        return {call for one in names for call in (calls(groups[one]) if one in groups else {one})}

    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.MULTILINE):
        if line.startswith("~"):
            allowed -= calls(line[1:].split())
        else:
            allowed |= calls(line.split())
    return allowed


@by_systemd
@needs("strace")
def test_a_whole_life_needs_no_call_that_is_forbidden(unit, own_host, tmp_path, letter):
    """Start, TLS, mail in and out, a reload and the end: what the kernel saw is what the unit allows."""
    trace = tmp_path / "trace"
    manager = ServiceManager(own_host, tmp_path, watchdog_seconds=5)
    try:
        manager.start("/usr/bin/strace", "-f", "-qq", "-o", trace)
        manager.hear(["READY", "1"])
        live(own_host, letter)
        pid = int(manager.said[-1]["MAINPID"])
        os.kill(pid, signal.SIGHUP)
        manager.hear(["RELOADING", "1"])
        manager.hear(["READY", "1"])
        os.kill(pid, signal.SIGTERM)
        assert manager.process.wait(20) == 0
    finally:
        manager.close()
    calls = read_trace(trace.read_text(errors="replace").splitlines())
    assert len(calls) > 1000
    made = {call.name for call in calls}
    assert made - allowed_calls(unit) - CALLS_OF_ROOT == set()
    families = {call.arguments.split(",")[0] for call in calls if call.name == "socket"}
    assert families <= set(setting(unit, "RestrictAddressFamilies").split())


def live(host, letter):
    """A bit of everything."""
    import poplib
    import smtplib

    someone, where = host.organisation.people[0], host.organisation
    deliver(host, someone, letter)
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=20) as client:
        client.starttls(context=trusting(host))
        client.sendmail("visitor@example.org", [someone.address], letter + b"a long one\r\n" * 50_000)
    client = poplib.POP3_SSL(where.address, where.port("pop3s"), timeout=20, context=trusting(host))
    client.user(someone.address)
    client.pass_(someone.password)
    client.retr(1)
    client.dele(1)
    client.quit()
