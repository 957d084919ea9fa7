"""What a wheel and an editable install hold, and that Twisted finds mailsys in both.

Nothing is fetched: the scratch environments borrow the libraries of the one that runs the tests.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PARTS = ("mailsys", "twisted", "setup.cfg", "pyproject.toml", "README.rst", "LICENSE")
BUILD_TOOL = tuple(int(part) for part in version("setuptools").split(".")[:2])

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        BUILD_TOOL < (70, 1),
        reason="setuptools here is too old to build wheels by itself; ./check brings another",
    ),
]


def run(*command, cwd):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))
    }
    environment |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def pip(folder, *arguments):
    run(sys.executable, "-m", "pip", *arguments, cwd=folder)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout, so that building leaves nothing in it."""
    folder = tmp_path_factory.mktemp("source")
    for name in PARTS:
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
        else:
            shutil.copy2(path, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip(folder, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (path,) = folder.glob("mailsys-*.whl")
    return path


@pytest.fixture(scope="module", params=["wheel", "editable"])
def environment(request, tmp_path_factory):
    """An environment with mailsys in one of the two ways; gives its folder of programs."""
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=False, symlinks=True)
    scripts = folder / "bin"
    libraries = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    # A path in a .pth file lends the libraries, and not the editable mailsys that stands among them.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(libraries) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    into = ("--python", scripts / "python", "install", "--quiet", "--no-deps", "--no-build-isolation")
    if request.param == "wheel":
        pip(folder, *into, request.getfixturevalue("wheel"))
    else:
        pip(folder, *into, "--editable", request.getfixturevalue("source"))
    return scripts


def test_the_wheel_is_complete_and_has_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"mailsys/py.typed", "mailsys/plugins/__init__.py", "twisted/plugins/mailsys_plugin.py"} <= names
    assert "twisted/__init__.py" not in names
    assert "twisted/plugins/__init__.py" not in names
    modules = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "mailsys").rglob("*.py")}
    assert modules == {name for name in names if name.startswith("mailsys/") and name.endswith(".py")}
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"mailsys", "twisted"}


def twisted_program(environment, name, *arguments, cwd):
    """Run twistd or twist, whose script is among what was borrowed, in the scratch environment."""
    return run(environment / "python", Path(sys.executable).with_name(name), *arguments, cwd=cwd)


@pytest.mark.parametrize("program", ["twistd", "twist"])
def test_twisted_lists_mailsys(environment, tmp_path, program):
    assert re.search(
        r"^ +mailsys ", twisted_program(environment, program, "--help", cwd=tmp_path), re.MULTILINE
    )


def test_the_command_is_installed(environment, tmp_path):
    assert run(environment / "mailsys", "--version", cwd=tmp_path).startswith("mailsys ")
    assert run(environment / "python", "-m", "mailsys", "--version", cwd=tmp_path).startswith("mailsys ")


@pytest.mark.parametrize("program", ["twistd", "twist"])
def test_the_plugin_has_its_options(environment, tmp_path, program):
    """Listing imports nothing of ours; this does."""
    assert "--config" in twisted_program(environment, program, "mailsys", "--help", cwd=tmp_path)
