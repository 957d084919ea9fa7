"""Our unique-ids are those of Debian's Dovecot, so no client fetches twice when a mailbox moves."""

import grp
import os
import poplib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from mailsys.interfaces import StoredMessage
from mailsys.read.pop3.maildrop import Maildrop

# Decimal and hexadecimal letters, the largest of each.
UID_VALIDITY = 0xABCDEF12
UIDS = [1, 10, 255, 2748, 0xFFFFFFFE]

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
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
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
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


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def lay_mail(folder):
    """A Maildir whose uidlist says which UIDs its messages have."""
    mail = folder / "mail"
    for name in ("cur", "new", "tmp"):
        (mail / name).mkdir(parents=True)
    lines = [f"3 V{UID_VALIDITY} N{0xFFFFFFFF} G0123456789abcdef0123456789abcdef"]
    for uid in UIDS:
        name = f"170000000{UIDS.index(uid)}.M1P1.host"
        (mail / "cur" / f"{name}:2,").write_bytes(b"Subject: x\n\nbody\n")
        lines.append(f"{uid} :{name}")
    (mail / "dovecot-uidlist").write_text("\n".join(lines) + "\n")


def give_away(folder, owner):
    folder.chmod(0o755)
    if os.getuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, owner.pw_uid, owner.pw_gid)


@pytest.fixture
def dovecot():
    """A Dovecot over a Maildir of ours; gives its POP3 port."""
    if shutil.which("dovecot") is None or not Path("/usr/lib/dovecot/pop3").exists():
        pytest.skip("Dovecot with POP3 is not installed")
    version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("2.3"):
        pytest.skip("the configuration here is written for Dovecot 2.3")
    folder = Path(tempfile.mkdtemp(prefix="mailsys-dovecot-"))
    owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    port = free_port()
    lay_mail(folder)
    (folder / "home").mkdir()
    (folder / "dovecot.conf").write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            user=owner.pw_name,
            group=owner.pw_gid,
            groupname=grp.getgrgid(owner.pw_gid).gr_name,
        )
    )
    give_away(folder, owner)
    server = subprocess.Popen(["dovecot", "-F", "-c", str(folder / "dovecot.conf")])
    try:
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        shutil.rmtree(folder)


def log_in(port):
    for _ in range(100):
        try:
            client = poplib.POP3("127.0.0.1", port, timeout=20)
        except OSError:
            time.sleep(0.1)
        else:
            client.user("ann")
            client.pass_("secret")
            return client
    raise AssertionError("Dovecot does not listen")


class Mailbox:
    uid_validity = UID_VALIDITY
    messages = tuple(StoredMessage(uid, 17, 20) for uid in UIDS)


def test_unique_ids_are_those_of_dovecot(dovecot):
    client = log_in(dovecot)
    _response, theirs, _octets = client.uidl()
    client.quit()
    ours = b"".join(Maildrop(Mailbox()).unique_id_listing())
    assert theirs == ours.splitlines()
