"""The files for containers: what they name is there, and says the same as the rest."""

import re
import subprocess
import sys

import pytest

from mailsys.config.ports import STANDARD_PORTS
from mailsys.control.command import COMMANDS


@pytest.fixture
def dockerfile(repository):
    return (repository / "etc" / "Dockerfile").read_text()


def test_the_commands_are_there(dockerfile):
    named = set(re.findall(r'CMD \["(?:mailsys", ")?([a-z]+)"', dockerfile))
    assert named == {"status", "serve"}
    assert named <= set(COMMANDS)


def test_it_is_not_root(dockerfile):
    user = dockerfile.index("\nUSER mailsys\n")
    assert user < dockerfile.index("\nENTRYPOINT")
    assert dockerfile.rindex("\nRUN ") < user


def test_the_ports_are_those_of_a_first_configuration(dockerfile, repository, tmp_path):
    """LMTP is for programs of the same machine."""
    command = [sys.executable, "-m", "mailsys", "init", tmp_path / "host", "--domain", "example.org"]
    subprocess.run([*command, "--port-base", "20000"], check=True, capture_output=True, timeout=60)
    text = (tmp_path / "host" / "mailsys.toml").read_text()
    opened = {int(port) - 20000 for port in re.findall(r'^endpoint = "tcp:([0-9]+)', text, re.MULTILINE)}
    exposed = set(map(int, re.search(r"^EXPOSE (.*)$", dockerfile, re.MULTILINE)[1].split()))
    assert exposed == opened - {STANDARD_PORTS["lmtp"]}
    compose = (repository / "etc" / "compose.yaml").read_text()
    assert set(re.findall(r'^ +- "([0-9]+):([0-9]+)"$', compose, re.MULTILINE)) == {
        (str(port), str(port)) for port in exposed
    }


def test_what_is_built_from_is_not_left_out(repository):
    ignored = (repository / ".dockerignore").read_text().split()
    needed = ("mailsys", "twisted", "setup.cfg", "pyproject.toml", "README.rst", "LICENSE")
    for name in needed:
        assert (repository / name).exists()
        assert name not in ignored
    assert {".git", ".venv"} <= set(ignored)
