"""./check, ./demo and what makes their environment: clear words when a machine is not fit for them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SCRIPTS = ["check", "demo", ".ci/run", ".ci/environment.sh"]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the scripts and what they read, and no .venv; pip cannot reach any index."""
    folder = tmp_path / "a check out"
    (folder / ".ci").mkdir(parents=True)
    for name in [*SCRIPTS, "setup.cfg", "pyproject.toml"]:
        shutil.copy2(REPOSITORY / name, folder / name)
    return folder


def run(checkout, script, *arguments, python=None, cwd=None):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment.update(PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull, PYTHON=str(python or sys.executable))
    return subprocess.run(
        [str(checkout / script), *arguments],
        capture_output=True, text=True, timeout=100, env=environment, cwd=cwd or checkout, check=False,
    )  # fmt: skip


def fake_python(folder, body):
    path = folder / "fake-python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_plain_sh(script):
    subprocess.run(["/bin/sh", "-n", str(REPOSITORY / script)], check=True, timeout=10)


@pytest.mark.parametrize("script", ["check", "demo", ".ci/run"])
def test_scripts_can_be_run(script):
    assert os.access(REPOSITORY / script, os.X_OK)


@pytest.mark.parametrize("script", ["check", "demo"])
def test_an_old_python_is_told_in_a_sentence(checkout, tmp_path, script):
    old = fake_python(tmp_path, 'case $1 in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    result = run(checkout, script, python=old)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{script}: Python 3.11 or newer is needed, and this is Python 3.9.2.")
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv_is_told_in_a_sentence(checkout, tmp_path):
    bare = fake_python(tmp_path, f'case "$2" in *ensurepip*) exit 1 ;; esac; exec "{sys.executable}" "$@"')
    result = run(checkout, "check", python=bare)
    assert result.returncode == 1
    assert "apt install python3-venv" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_venv_made_elsewhere_is_made_anew(checkout, tmp_path):
    """Copied or moved, a .venv still starts, yet its programs and its link to us lead to the old place."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True, timeout=60
    )
    pip = checkout / ".venv" / "bin" / "pip"
    pip.write_text("#!/somewhere/else/.venv/bin/python3\n")
    (checkout / ".venv" / "left-over").touch()
    result = run(checkout, "demo", cwd=tmp_path)
    assert "demo: .venv is incomplete or was made elsewhere; making it anew\n" in result.stderr
    assert not (checkout / ".venv" / "left-over").exists()
    # Without an index the installation fails; that is told, and the next run tries again.
    assert result.returncode == 1
    assert "demo: pip could not install the project and what it needs" in result.stderr
    assert not (checkout / ".venv" / "mailsys-stamp").exists()


def test_check_explains_itself(checkout):
    result = run(checkout, "check", "--help")
    assert result.returncode == 0
    assert "./check tests/wire" in result.stdout
    assert not (checkout / ".venv").exists()
