"""A wheel of somebody else's, with a judge, a router and a store: built, installed, and mail goes through it.

Nothing is fetched: the scratch environment borrows the libraries of the one that runs the tests.
"""

import base64
import hashlib
import json
import os
import poplib
import shutil
import signal
import smtplib
import subprocess
import sys
import sysconfig
import time
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from mailsys.lab.ports import choose_port_base

REPOSITORY = Path(__file__).parent.parent.parent
EXAMPLES = REPOSITORY / "examples" / "plugins"
ADDRESS = f"127.21.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
SECONDS = 20
LETTER = b"From: friend@client.example\r\nSubject: Hello\r\n\r\nThrough three plugins.\r\n"

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        tuple(int(part) for part in version("setuptools").split(".")[:2]) < (70, 1),
        reason="setuptools here is too old to build wheels by itself; ./check brings another",
    ),
]


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    return kept | {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(*command, cwd, told="", **more):
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=environment() | more, input=told,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def wheel(source, names, folder):
    """A wheel of these parts of a folder, built from a copy so that building leaves nothing there."""
    copy = folder / "source"
    copy.mkdir(parents=True)
    for name in names:
        if (source / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "dropin.cache")
            shutil.copytree(source / name, copy / name, ignore=ignored)
        else:
            shutil.copy2(source / name, copy / name)
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy)
    run(sys.executable, "-m", "pip", *build, cwd=folder)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment with mailsys and the wheel of the plugins."""
    folder = tmp_path_factory.mktemp("third-party")
    ours = ("mailsys", "twisted", "setup.cfg", "pyproject.toml", "README.rst", "LICENSE")
    wheels = [
        wheel(REPOSITORY, ours, folder / "ours"),
        wheel(EXAMPLES, ("mailsys", "setup.cfg", "pyproject.toml", "README.rst"), folder / "theirs"),
    ]
    scratch = folder / "environment"
    venv.create(scratch, with_pip=False, symlinks=True)
    libraries = sysconfig.get_path("purelib", "venv", {"base": str(scratch), "platbase": str(scratch)})
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(libraries) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    python = scratch / "bin" / "python"
    into = ("--python", python, "install", "--quiet", "--no-deps")
    run(sys.executable, "-m", "pip", *into, *wheels, cwd=folder)
    return python


LISTEN = """
hostname = "mail.system.test"
[process]
user = "root"
[[listen]]
service = "smtp"
endpoint = "tcp:{smtp}:interface={address}"
[[listen]]
service = "pop3"
endpoint = "tcp:{pop3}:interface={address}"
"""


class Host:
    """A host of the scratch environment, with these lines in its configuration."""

    def __init__(self, python, folder, lines, **more):
        self.python, self.folder, self.more = python, folder, more
        self.base = choose_port_base([ADDRESS], None)
        self.config = folder / "mailsys.toml"
        listen = LISTEN.format(smtp=self.base + 25, pop3=self.base + 110, address=ADDRESS)
        self.config.write_text(listen + lines)
        self.mailsys("domain", "add", "system.test")
        for name in ("ann", "bob"):
            self.mailsys("account", "add", f"{name}@system.test", "--password-stdin", told="secret\n")

    def mailsys(self, *words, told=""):
        command = (self.python, "-m", "mailsys", "--config", self.config, *words)
        return run(*command, cwd=self.folder, told=told, **self.more)

    def __enter__(self):
        self.log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [str(self.python), "-m", "mailsys", "--config", str(self.config), "serve"],
            cwd=self.folder, env=environment() | self.more, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self.smtp().quit()
                return self
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)

    def __exit__(self, *_reason):
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.log.close()

    def smtp(self):
        return smtplib.SMTP(ADDRESS, self.base + 25, timeout=SECONDS)

    def send(self, recipient, sender="friend@client.example"):
        with self.smtp() as client:
            client.sendmail(sender, [recipient], LETTER)

    def wait_for_log(self, words):
        deadline = time.monotonic() + SECONDS
        while words not in (self.folder / "log").read_text():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def mail(self, name):
        client = poplib.POP3(ADDRESS, self.base + 110, timeout=SECONDS)
        try:
            client.user(f"{name}@system.test")
            client.pass_("secret")
            count, _size = client.stat()
            return [b"\r\n".join([*client.retr(number)[1], b""]) for number in range(1, count + 1)]
        finally:
            client.quit()


THREE = """
[store]
kind = "sqlite_store"
[route]
routers = ["csv_router"]
[judge]
judges = ["early_talker", "blocklist", "one_from"]
[plugins.sqlite_store]
file = "mail.sqlite3"
[plugins.csv_router]
file = "ways.csv"
[plugins.blocklist]
file = "blocklist.txt"
look_every = "0.1s"
"""


def test_mail_is_served_through_a_judge_a_router_and_a_store(python, tmp_path):
    (tmp_path / "blocklist.txt").write_text("bad.example\n")
    (tmp_path / "ways.csv").write_text("sales@system.test,ann@system.test,bob@system.test\n")
    host = Host(python, tmp_path, THREE)
    listed = {row["name"]: row for row in json.loads(host.mailsys("plugins", "--json"))}
    assert listed["sqlite_store"]["used"] == ["store.kind"]
    assert listed["blocklist"]["from"].startswith("mailsys-example-plugins ")
    assert listed["pipe"]["used"] == []
    with host:
        host.send("sales@system.test")
        for name in ("ann", "bob"):
            [message] = host.mail(name)
            assert message.endswith(LETTER)
            assert f"Delivered-To: {name}@system.test\r\n".encode() in message
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            host.send("ann@system.test", "someone@bad.example")
        assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (550, b"5.7.1")
        assert not (tmp_path / "data" / "mail").exists()
        story = host.mailsys("trace", "someone@bad.example")
        assert "blocked by" in story
        assert '"octets"' in host.mailsys("mailbox-sizes", "--json")
    with host:  # another life: the store has kept it
        assert len(host.mail("ann")) == 1
        host.send("ann@system.test")
        assert len(host.mail("ann")) == 2


OTHERS = """
[auth]
sources = ["htpasswd"]
[receive]
header_writers = ["organisation"]
[route.deliveries]
"tickets@system.test" = "tickets"
"later@system.test" = "later"
[plugins.htpasswd]
file = "people"
domain = "system.test"
[plugins.organisation]
name = "Ours"
[plugins.tickets]
plugin = "pipe"
command = ["/bin/sh", "-c", "cd FOLDER; cat > new; mv new taken.$RECIPIENT"]
[plugins.later]
plugin = "pipe"
command = ["/bin/sh", "-c", "echo busy; exit 75"]
"""


def test_mail_and_logins_go_through_a_source_a_delivery_and_a_header_writer(python, tmp_path):
    digest = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()  # noqa: S324 - Apache's {SHA}
    (tmp_path / "people").write_text(f"eve:{{SHA}}{digest}\n")
    with Host(python, tmp_path, OTHERS.replace("FOLDER", str(tmp_path))) as host:
        host.send("eve@system.test")
        [message] = host.mail("eve")  # whom only the file knows
        assert b"\r\nX-Received-For: Ours\r\n" in message
        assert b"X-Received-For" not in message.partition(b"Received: from")[2]
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            host.send("nobody@system.test")
        host.send("tickets+17@system.test")
        taken = (tmp_path / "taken.tickets+17@system.test").read_bytes()
        assert taken.startswith(b"X-Received-For: Ours\r\nReceived: from ")
        assert taken.endswith(LETTER)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            host.send("later@system.test")
        assert refused.value.smtp_code == 451
        story = host.mailsys("trace", "later@system.test")
        assert "the delivery later: it ended with status 75: busy" in story
        assert "Handed on by the delivery tickets" in host.mailsys("trace", "tickets+17@system.test")
        changed = host.config.read_text().replace('"Ours"', '"Theirs"').replace("exit 75", "exit 0")
        host.config.write_text(changed)
        host.process.send_signal(signal.SIGHUP)
        host.wait_for_log("Changed, but needs a restart: plugins.later")
        host.send("eve@system.test")
        assert b"\r\nX-Received-For: Theirs\r\n" in host.mail("eve")[1]


MISBEHAVING = """
import sys
from twisted.internet.defer import Deferred
from mailsys.interfaces import IJudge, PluginMaker
from mailsys.judge.silent import SilentJudge

naughty = PluginMaker(IJudge, "naughty", __name__, "does what the sender asks for")

class Naughty(SilentJudge):
    name = "naughty"

    async def message(self, session, envelope, content):
        match envelope.reverse_path.local_part:
            case "recursion":
                return await self.message(session, envelope, content)
            case "memory":
                return bytes(sys.maxsize)
            case "number":
                return int("9" * 100_000)
            case "exit":
                sys.exit(7)
            case "nonsense":
                return "yes"
            case "hang":
                await Deferred()
            case "deferred":
                failing = Deferred()
                failing.addCallback(lambda _: 1 / 0)
                failing.callback(None)
        return await super().message(session, envelope, content)

def make(settings, services):
    return Naughty()
"""
NAUGHTY = """
[judge]
judges = ["naughty"]
[plugins.naughty]
deadline = "2s"
[store]
kind = "memory"
"""


@pytest.mark.row(66)
def test_a_plugin_in_a_folder_on_the_path_hurts_only_its_messages(python, tmp_path):
    folder = tmp_path / "drop-ins"
    (folder / "mailsys" / "plugins").mkdir(parents=True)
    (folder / "mailsys" / "plugins" / "naughty_one.py").write_text(MISBEHAVING)
    with Host(python, tmp_path, NAUGHTY, PYTHONPATH=str(folder)) as host:
        with host.smtp() as hanging:
            hanging.ehlo("client.example")
            hanging.mail("hang@client.example")
            hanging.rcpt("ann@system.test")
            hanging.putcmd("data")
            assert hanging.getreply()[0] == 354
            hanging.send(LETTER + b".\r\n")
            for trouble in ("recursion", "memory", "number", "exit", "nonsense"):
                with pytest.raises(smtplib.SMTPDataError) as refused:
                    host.send("ann@system.test", f"{trouble}@client.example")
                assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (451, b"4.3.0")
                assert b"Error" not in refused.value.smtp_error
                begun = time.monotonic()
                host.send("ann@system.test")
                assert time.monotonic() - begun < 1
            assert hanging.getreply()[0] == 451
        host.send("bob@system.test", "deferred@client.example")
        assert len(host.mail("ann")) == 5
        assert len(host.mail("bob")) == 1
        for trouble, words in (("recursion", "RecursionError"), ("hang", "it did not answer in 2 s")):
            story = host.mailsys("trace", f"{trouble}@client.example")
            assert "the plugin naughty failed at message" in story
            assert words in story
    log = (tmp_path / "log").read_text()
    assert "all mail is gone when this server stops" in log
    assert "Plugin naughty (" in log
    assert "naughty_one.py" in log


def test_a_broken_plugin_stops_the_start_with_a_sentence(python, tmp_path):
    folder = tmp_path / "drop-ins"
    (folder / "mailsys" / "plugins").mkdir(parents=True)
    path = folder / "mailsys" / "plugins" / "naughty_one.py"
    host = Host(python, tmp_path, "", PYTHONPATH=str(folder))
    host.config.write_text(host.config.read_text() + NAUGHTY)
    path.write_text("import a_module_that_nobody_has\n" + MISBEHAVING)
    for words in (("config", "check"), ("serve",)):
        result = subprocess.run(
            [str(python), "-m", "mailsys", "--config", str(host.config), *words],
            env=environment() | host.more, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert 'judge.judges = "naughty" is no judge that is installed; ' in result.stderr
        assert f"perhaps it is in {path}, which cannot be loaded (ModuleNotFoundError: " in result.stderr
    path.write_text(MISBEHAVING.replace("return Naughty()", "raise OSError('no line to the moon')"))
    result = subprocess.run(
        [str(python), "-m", "mailsys", "--config", str(host.config), "serve"],
        env=environment() | host.more, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert "The plugin naughty cannot begin to work (OSError: no line to the moon); mend" in result.stderr
