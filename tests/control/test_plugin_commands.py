"""``mailsys plugins``, and commands that plugins add; each run has a folder of drop-ins of its own."""

import json
import os
import subprocess
import sys

import pytest

REPOSITORY = os.getcwd()
COMMAND = """
from dataclasses import dataclass
from mailsys.config.settings import SECRET, TEXT, setting
from mailsys.interfaces import CannotDo, IControlCommand, IJudge, PluginMaker
from twisted.internet.defer import Deferred
from zope.interface import implementer

greet = PluginMaker(IControlCommand, "greet", __name__, "greets the accounts")

@dataclass(frozen=True, slots=True)
class Settings:
    word: str = setting(TEXT, "Hello")
    password: str = setting(SECRET, "")

@implementer(IControlCommand)
class Greet:
    def __init__(self, settings, services):
        self._settings, self._services = settings, services

    def add_arguments(self, parser):
        parser.add_argument("--loud", action="store_true")
        parser.add_argument("what", nargs="?", default="")

    async def run(self, arguments, host):
        match arguments.what:
            case "cannot":
                raise CannotDo("Nobody is here.")
            case "raise":
                raise RecursionError("deep")
            case "wait":
                from twisted.internet import reactor
                waiting = Deferred()
                reactor.callLater(0.05, waiting.callback, None)
                await waiting
        for account in host.accounts():
            mailbox = await host.store.open(account, "INBOX", exclusive=False)
            words = f"{self._settings.word} {account.address}: {len(mailbox.messages)}"
            print(words.upper() if arguments.loud else words)
        return 3

def make(settings, services):
    return Greet(settings, services)
"""


@pytest.fixture
def host(tmp_path):
    """A host with an account, and the folder of its plugins; returns what runs a command on it."""
    folder = tmp_path / "drop-ins" / "mailsys" / "plugins"
    folder.mkdir(parents=True)
    config = tmp_path / "mailsys.toml"
    config.write_text('hostname = "mail.our.example"\n')

    def run(*words, told=""):
        environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{tmp_path / 'drop-ins'}"}
        return subprocess.run(
            [sys.executable, "-m", "mailsys", "--config", str(config), *words],
            env=environment, input=told, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    run.folder, run.config = folder, config
    assert run("domain", "add", "our.example").returncode == 0
    assert run("account", "add", "ann@our.example", "--password-stdin", told="secret\n").returncode == 0
    return run


def test_without_any(host):
    done = host("plugins")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No plugins are installed.\n", "")
    assert json.loads(host("plugins", "--json").stdout) == []


def test_a_command_has_its_settings_its_words_and_the_host(host):
    (host.folder / "greet.py").write_text(COMMAND)
    with host.config.open("a") as file:
        file.write('[plugins.greet]\nword = "Servus"\npassword = "hush"\n')
    done = host("greet", "--loud")
    assert (done.returncode, done.stdout) == (3, "SERVUS ANN@OUR.EXAMPLE: 0\n"), done.stderr
    assert host("greet", "wait").stdout == "Servus ann@our.example: 0\n"
    assert "--loud" in host("greet", "--help").stdout
    assert "greets the accounts" in host("--help").stdout
    shown = host("config", "show").stdout
    assert 'word = "Servus"' in shown
    assert "hush" not in shown
    [row] = json.loads(host("plugins", "--json").stdout)
    assert (row["name"], row["kind"], row["used"]) == ("greet", "command", ["mailsys greet"])


@pytest.mark.row(66)
def test_a_command_that_fails_is_one_sentence(host):
    path = host.folder / "greet.py"
    path.write_text(COMMAND)
    assert host("greet", "cannot").stderr == "mailsys: Nobody is here.\n"
    done = host("greet", "raise")
    assert done.returncode == 1
    assert (
        done.stderr == f"mailsys: The command greet failed (RecursionError: deep); mend or remove {path}.\n"
    )
    assert host("greet", "--unknown").returncode == 2


def test_broken_and_doubled_files_are_told(host):
    (host.folder / "broken.py").write_text("1 / 0\n")
    (host.folder / "greet.py").write_text(COMMAND)
    (host.folder / "again.py").write_text(COMMAND)
    done = host("plugins")
    assert done.returncode == 1
    assert f"{host.folder}/broken.py cannot be loaded (ZeroDivisionError: division by zero)" in done.stderr
    assert "The plugin greet of " in done.stderr
    assert "Traceback" not in done.stderr
    checked = host("config", "check")
    assert checked.returncode == 1
    assert "has the name of the one of" in checked.stderr


def test_a_command_of_ours_cannot_be_taken(host):
    (host.folder / "trace.py").write_text(COMMAND.replace('"greet"', '"trace"'))
    assert "ID-OR-ADDRESS" in host("trace", "--help").stdout
    assert "has the name of 'mailsys trace'; remove " in host("config", "check").stderr
