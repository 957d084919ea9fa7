"""Real hosts on loopback: one for most tests, whose people are each used once, and others on request."""

import itertools
import os
import pwd
import shutil
import site
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest
from attacked_host import _attacked, _victims, attacked, bystander, victim  # noqa: F401
from besieged_host import _besieged, besieged  # noqa: F401
from far_host import far  # noqa: F401
from real_host import new_host


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    """A running host that all tests share; each takes ``someone`` of its own."""
    host = new_host(tmp_path_factory.mktemp("host") / "system", people=100)
    host.set("auth", "channel_binding = true")
    host.start()
    try:
        host.wait_until_ready(("smtp", "pop3", "imap", "lmtp"))
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="session")
def _people(host):
    return itertools.cycle(host.organisation.people)


@pytest.fixture
def someone(_people):
    """A person of ``host`` whose mailbox is empty."""
    return next(_people)


@pytest.fixture
def own_host(tmp_path):
    """A host of the test's own, made but not started; it is stopped afterwards."""
    host = new_host(tmp_path / "own")
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture
def open_folder():
    """A folder that other users may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="mailsys-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def nobody(open_folder, monkeypatch):
    """The user nobody, where root can become it; what we start is a Python that nobody can read, too."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    user = pwd.getpwnam("nobody")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], *site.getsitepackages()]))
    probe = "import encodings.ascii, mailsys.service"
    for python in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        try:
            subprocess.run(
                [python, "-c", probe],
                user=user.pw_uid, group=user.pw_gid, extra_groups=[],
                cwd=open_folder, capture_output=True, check=True, timeout=60,
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        monkeypatch.setattr(sys, "executable", python)
        return user
    pytest.skip("no Python of this machine can be read by other users")


@pytest.fixture
def letter(request):
    """A message, never the same twice, with what goes wrong first: dots, empty lines, eight bits."""
    lines = [
        "From: A Visitor <visitor@example.org>",
        "To: Somebody <somebody@system.test>",
        "Date: Mon, 23 Nov 2026 12:00:00 +0000",
        f"Message-ID: <{uuid.uuid4()}@example.org>",
        f"Subject: {request.node.name}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        ".",
        "..two dots",
        ".one dot",
        "",
        "Grüße aus Köln, δοκιμή",
        "x" * 900,
        "From here on nothing is quoted",
        "",
        "",
        "the end",
        "",
    ]
    return "\r\n".join(lines).encode()
