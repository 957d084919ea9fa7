"""Debian's Dovecot as a server of IMAP and POP3 with TLS, over a Maildir of one user, on free ports."""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from authority import Authority

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
auth_mechanisms = {mechanisms}
mail_location = maildir:{folder}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = {user}
default_internal_group = {groupname}
default_login_user = {user}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class DovecotServer:
    """A running one; ``ports`` are by service, ``trusted`` is what a client trusts."""

    def __init__(self, mechanisms, letters):
        for name in ("imap", "pop3"):
            if not Path(f"/usr/lib/dovecot/{name}").exists():
                pytest.skip(f"Dovecot with {name} is not installed")
        version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout
        if not version.startswith("2.3"):
            pytest.skip("the configuration here is written for Dovecot 2.3")
        self.folder = Path(tempfile.mkdtemp(prefix="mailsys-dovecot-"))
        self.ports = dict(zip(("imap", "imaps", "pop3"), free_ports(3), strict=True))
        self._lay(letters)
        self._configure(mechanisms)
        self._server = subprocess.Popen(["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")])
        self._wait()

    def _lay(self, letters):
        for name in ("cur", "new", "tmp", ".Archive.2026/cur", ".Archive.2026/new", ".Archive.2026/tmp"):
            (self.folder / "mail" / name).mkdir(parents=True)
        for number, letter in enumerate(letters, 1):
            path = (
                self.folder / "mail" / "cur" / f"17000000{number:02}.M1P1.host:2,{'S' if number == 1 else ''}"
            )
            path.write_bytes(letter)
        (self.folder / "home").mkdir()

    def _configure(self, mechanisms):
        owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        authority = Authority(self.folder)
        self.trusted = authority.trusted
        certificate, key = authority.issue("server", "127.0.0.1")
        (self.folder / "dovecot.conf").write_text(
            CONFIGURATION.format(
                folder=self.folder, certificate=certificate, key=key, mechanisms=mechanisms,
                user=owner.pw_name, group=owner.pw_gid, groupname=grp.getgrgid(owner.pw_gid).gr_name,
                **self.ports,
            )
        )  # fmt: skip
        self.folder.chmod(0o755)
        if os.getuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def _wait(self):
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.ports["imap"]), timeout=20).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Dovecot does not listen")

    def stop(self):
        self._server.send_signal(signal.SIGTERM)
        self._server.wait(20)
        shutil.rmtree(self.folder)


def free_ports(count):
    """Ports that are free, and differ."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
