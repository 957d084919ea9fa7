import os
import re
import socket
import ssl
import stat
import threading
from types import SimpleNamespace

import pytest

from mailsys.config import load
from mailsys.control import init, main
from mailsys.control.configuration import installed
from mailsys.control.first_configuration import FirstConfiguration


@pytest.fixture
def make(tmp_path):
    """Run init as on the command line, for a trial; the result is its exit status."""

    def make(*words, domain="example.org", port_base="20000"):
        folder = str(tmp_path / "host")
        return main(["init", folder, "--domain", domain, "--port-base", port_base, *words])

    return make


@pytest.fixture
def ordinary_machine(monkeypatch):
    """Pretend to be root on a machine with only the given users; nothing is changed on the disk."""
    users = {"root"}

    def getpwnam(name):
        if name not in users:
            raise KeyError(name)
        return SimpleNamespace(pw_uid=os.getuid(), pw_gid=os.getgid())

    monkeypatch.setattr(init.os, "geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", getpwnam)
    return users


def read(tmp_path):
    return load(str(tmp_path / "host" / "mailsys.toml"), installed())


def test_a_host_to_try_out(make, tmp_path, capsys):
    assert make() == 0
    configuration = read(tmp_path)
    assert configuration.hostname == "mail.example.org"
    assert [(one.service, one.endpoint, one.tls) for one in configuration.listen] == [
        ("smtp", "tcp:20025:interface=127.0.0.1", "starttls"),
        ("submission", "tcp:20587:interface=127.0.0.1", "starttls"),
        ("submission", "tcp:20465:interface=127.0.0.1", "implicit"),
        ("pop3", "tcp:20110:interface=127.0.0.1", "starttls"),
        ("pop3", "tcp:20995:interface=127.0.0.1", "implicit"),
        ("imap", "tcp:20143:interface=127.0.0.1", "starttls"),
        ("imap", "tcp:20993:interface=127.0.0.1", "implicit"),
        ("lmtp", "tcp:20024:interface=127.0.0.1", "none"),
    ]
    told = capsys.readouterr().out
    assert "account add postmaster@example.org" in told
    assert "127.0.0.1:20995" in told
    assert "127.0.0.1:20587" in told
    assert "127.0.0.1:20465" in told


def test_only_the_owner_may_read_mail_and_key(make, tmp_path):
    make()
    host = tmp_path / "host"
    modes = {
        name: stat.S_IMODE((host / name).stat().st_mode) for name in ("data", "tls/key.pem", "mailsys.toml")
    }
    assert modes["data"] == 0o700
    assert modes["tls/key.pem"] == 0o600
    assert stat.S_IMODE((host / "data" / "accounts.sqlite3").stat().st_mode) & 0o077 == 0


def test_nothing_is_left_beside_the_host(make, tmp_path):
    make()
    assert sorted(os.listdir(tmp_path)) == ["host"]
    assert sorted(os.listdir(tmp_path / "host")) == ["data", "mailsys.toml", "tls"]


def test_every_domain_is_created_once(make, tmp_path):
    from mailsys.accounts.database import open_database

    assert make("--domain", "MÜLLER.example", "--domain", "EXAMPLE.org") == 0
    database = open_database(str(tmp_path / "host" / "data" / "accounts.sqlite3"))
    try:
        assert [domain.name for domain in database.domains.all()] == ["example.org", "xn--mller-kva.example"]
    finally:
        database.close()


@pytest.mark.parametrize("there", ["mailsys.toml", "data", "tls"])
def test_it_never_overwrites(make, tmp_path, capsys, there):
    host = tmp_path / "host"
    host.mkdir()
    (host / there).write_text("precious")
    assert make() == 1
    assert f"already has {there}" in capsys.readouterr().err
    assert os.listdir(host) == [there]
    assert (host / there).read_text() == "precious"


def test_a_folder_with_other_things_may_become_a_host(make, tmp_path):
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "README").write_text("mine")
    assert make() == 0
    assert sorted(os.listdir(tmp_path / "host")) == ["README", "data", "mailsys.toml", "tls"]


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("step", ["mkdir", "rename", "chmod"])
def test_what_fails_leaves_everything_as_it_was(make, tmp_path, capsys, monkeypatch, exists, step):
    if exists:
        (tmp_path / "host").mkdir()
    true = {"mkdir": os.mkdir, "rename": os.rename, "chmod": os.fchmod}[step]

    def fail(*arguments, **more):
        last = str(arguments[-1] if step == "rename" else arguments[0])
        if step == "chmod" or last.endswith("tls" if step == "mkdir" else "host/mailsys.toml"):
            raise OSError(28, "No space left on device", last)
        return true(*arguments, **more)

    monkeypatch.setattr(os, "fchmod" if step == "chmod" else step, fail)
    assert make() == 1
    assert "No space left on device; nothing was made." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == (["host"] if exists else [])


def test_a_host_in_place_of_a_file(tmp_path, capsys):
    (tmp_path / "host").write_text("precious")
    assert main(["init", str(tmp_path / "host"), "--domain", "example.org", "--port-base", "20000"]) == 1
    assert (tmp_path / "host").read_text() == "precious"
    assert "nothing was made" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--domain", "exa mple"], '"exa mple" cannot be used'),
        (["--domain", "[192.0.2.1]"], '"[192.0.2.1]" is an address'),
        (["--hostname", "mail..example"], '"mail..example" cannot be used'),
        (["--listen", "localhost"], '"localhost" is no IP address'),
        (["--port-base", "65000"], "--port-base 65000 is not possible; write a number from 1 to 64540"),
        (["--user", "no-such-user"], 'There is no user "no-such-user"'),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_made(make, tmp_path, capsys, words, said):
    assert make(*words) == 1
    assert said in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("address", "smtp", "lmtp"),
    [
        ("", "tcp:25", "tcp:24:interface=127.0.0.1"),
        ("192.0.2.1", "tcp:25:interface=192.0.2.1", "tcp:24:interface=127.0.0.1"),
        ("127.0.1.2", "tcp:25:interface=127.0.1.2", "tcp:24:interface=127.0.1.2"),
        ("::1", r"tcp6:25:interface=\:\:1", r"tcp6:24:interface=\:\:1"),
    ],
)
def test_where_it_listens(tmp_path, address, smtp, lmtp):
    path = tmp_path / "mailsys.toml"
    text = FirstConfiguration("mail.example.org", address).text()
    path.write_text(
        text.replace('certificate = "', '# "')
        .replace('key = "', '# "')
        .replace("starttls", "none")
        .replace("implicit", "none")
    )
    endpoints = {one.service: one.endpoint for one in reversed(load(str(path), installed()).listen)}
    assert endpoints["smtp"] == smtp
    assert endpoints["lmtp"] == lmtp


def test_what_is_commented_out_is_in_order_too(tmp_path, make):
    make()
    path = tmp_path / "host" / "mailsys.toml"
    path.write_text(re.sub(r"(?m)^# (?=\[\[|[a-z_]+ = )", "", path.read_text()))
    configuration = load(str(path), installed())
    assert [one.service for one in configuration.listen].count("imap") == 2
    assert configuration.process.user in ("", "root")


def test_root_needs_a_user_to_become(tmp_path, capsys, ordinary_machine):
    assert main(["init", str(tmp_path / "host"), "--domain", "example.org"]) == 1
    assert "adduser --system --group mailsys" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_root_takes_the_user_mailsys_where_there_is_one(tmp_path, capsys, ordinary_machine):
    ordinary_machine.add("mailsys")
    assert main(["init", str(tmp_path / "host"), "--domain", "example.org"]) == 0
    assert read(tmp_path).process.user == "mailsys"
    assert "mailsys.toml domain records example.org\n" in capsys.readouterr().out


def test_root_stays_root_for_a_trial(make, tmp_path, ordinary_machine):
    assert make() == 0
    assert read(tmp_path).process.user == "root"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_data_and_key_belong_to_the_user(make, tmp_path):
    import pwd

    assert make("--user", "nobody") == 0
    host, nobody = tmp_path / "host", pwd.getpwnam("nobody").pw_uid
    for name in ("data", "data/accounts.sqlite3", "tls/key.pem"):
        assert (host / name).stat().st_uid == nobody
    assert (host / "mailsys.toml").stat().st_uid == 0


def test_clients_that_are_given_the_certificate_trust_it(make, tmp_path):
    """With the host's name, and with the address of a trial."""
    make()
    tls = tmp_path / "host" / "tls"
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tls / "cert.pem", tls / "key.pem")
    for name in ("mail.example.org", "localhost", "127.0.0.1"):
        client_side = ssl.create_default_context(cafile=str(tls / "cert.pem"))
        client_side.verify_flags |= ssl.VERIFY_X509_STRICT
        ours, theirs = socket.socketpair()
        ours.settimeout(10)
        theirs.settimeout(10)
        server = threading.Thread(
            target=lambda ours=ours: server_side.wrap_socket(ours, server_side=True).close()
        )
        server.start()
        with client_side.wrap_socket(theirs, server_hostname=name) as client:
            assert client.version() == "TLSv1.3"
        server.join(10)


def test_the_next_steps_name_only_addresses_that_the_world_can_reach(tmp_path, capsys, ordinary_machine):
    ordinary_machine.add("mailsys")
    for number, (address, record) in enumerate(
        [
            ("10.0.0.1", "A  (the address of this host)"),
            ("8.8.8.8", "A  8.8.8.8"),
            ("2a00::1", "AAAA  2a00::1"),
        ]
    ):
        main(["init", str(tmp_path / str(number)), "--domain", "example.org", "--listen", address])
        assert f"mail.example.org.  {record}\n" in capsys.readouterr().out
