import os
import shutil
import subprocess

import pytest

from mailsys.interfaces import Account, DirectoryUnavailable
from mailsys.message.address import parse_address
from mailsys.plugins import htpasswd
from mailsys.testing import AccountsContract, PluginMakerContract, read_settings, result_of, services

# Made with htpasswd of Apache 2.4: -B -C 4, -m and -s.
FILE = """# people
ann:$apr1$r31fhDM5$m2NjBe1RDHO25UTdmu/KQ/
bob:$2y$04$EulhP2c0i7inNEF3zjuePOvZw/bhxH/3zjB.yMgfPg4UhTsceiQ2K
cid:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=
plain:secret
two words:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "people"
    path.write_text(FILE)
    return path


def made(file):
    settings = read_settings(htpasswd.htpasswd, {"file": str(file), "domain": "example.org", "quota": "10k"})
    return htpasswd.make(settings, services(file.parent))


class TestMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return htpasswd.htpasswd

    @pytest.fixture
    def table(self, file):
        return {"file": str(file), "domain": "example.org"}


class TestAccounts(AccountsContract):
    known = ("ann@example.org", "bob@example.org", "cid@example.org", "plain@example.org")
    unknown = ("nobody@example.org", "ann@example.net")
    passwords = {"ann@example.org": "correct horse", "bob@example.org": "bob word", "cid@example.org": "test"}  # noqa: RUF012 - a constant of the suite

    @pytest.fixture
    def source(self, file):
        return made(file)


needs_htpasswd = pytest.mark.skipif(not shutil.which("htpasswd"), reason="htpasswd is not installed")


@needs_htpasswd
@pytest.mark.parametrize("option", ["-B", "-m", "-s"])
def test_what_htpasswd_writes_is_understood(file, option):
    for name, password in (("dora", "correct horse"), ("eve", "pässword")):
        command = ["htpasswd", "-b", option, str(file), name, password]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        assert htpasswd.matches(stored(file, name), password.encode())
        assert not htpasswd.matches(stored(file, name), b"wrong")


def stored(file, name):
    return dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)[name]


def test_a_plain_password_lets_nobody_in():
    assert not htpasswd.matches("secret", b"secret")
    assert not htpasswd.matches("", b"")


def test_the_file_is_read_again_when_it_changes(file):
    source = made(file)
    ann, new = (parse_address(f"{name}@example.org") for name in ("ann", "new"))
    assert result_of(source.account(ann)) == Account(ann, 10 * 1024)
    assert result_of(source.account(new)) is None
    file.write_text("new:{SHA}x\n")
    os.utime(file, (1, 1))
    assert result_of(source.account(ann)) is None
    assert result_of(source.account(new)) is not None


def test_a_file_that_has_gone_is_no_answer(file):
    source = made(file)
    file.unlink()
    with pytest.raises(DirectoryUnavailable, match="people"):
        result_of(source.account(parse_address("ann@example.org")))


def test_without_a_domain_it_has_no_names(file):
    with pytest.raises(ValueError, match="has no domain"):
        read_settings(htpasswd.htpasswd, {"file": str(file), "domain": ""})
