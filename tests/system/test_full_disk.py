"""A disk that fills while the server runs: mail is refused in time, people still read and delete."""

import os
import smtplib
import subprocess
import time

import pytest
from exchange import SECONDS, SENDER, deliver, logged_in, mailbox
from real_host import new_host

DISK = "64M"
RESERVE = "16M"


@pytest.fixture
def small_host(tmp_path):
    """A host on a disk of its own, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "mailsys-test", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode().strip()}")
    host = new_host(folder / "host")
    text = host.config.read_text()
    host.config.write_text(text.replace("[limits]", f'[limits]\nfree_space = "{RESERVE}"'))
    host.start()
    try:
        host.wait_until_ready()
        yield host
    finally:
        host.stop()
        subprocess.run(["umount", "-l", folder], check=True)


def refusal(host, size=0):
    where = host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        client.ehlo()
        code, words = client.mail(SENDER, [f"SIZE={size}"] if size else [])
        return (code, words) if code != 250 else None


def wait_for(is_so):
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_mail_is_refused_before_the_disk_is_full(small_host, letter):
    host = small_host
    someone = host.organisation.people[0]
    deliver(host, someone, letter)
    assert refusal(host, 49 * 1024 * 1024) == (452, b"4.3.1 This host is short of room; try again later")
    filling = host.directory / "somebody-elses-file"
    filling.write_bytes(b"x" * 52 * 1024 * 1024)
    wait_for(lambda: refusal(host) is not None)
    assert refusal(host)[0] == 452
    assert mailbox(host, someone)[0].endswith(letter)
    client = logged_in(host, someone)
    client.dele(1)
    client.quit()
    assert mailbox(host, someone) == []
    filling.unlink()
    wait_for(lambda: refusal(host) is None)
    deliver(host, someone, letter)
    log = host.log.read_text()
    assert log.count("New mail is refused for the moment (452)") == 1
    assert log.count("There is room on the disk again") == 1
