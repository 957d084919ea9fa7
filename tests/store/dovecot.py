"""Debian's Dovecot over a test's Maildirs: its imap and pop3 programs, already logged in, on pipes.

No ports and no daemon: each program ends with its standard input.  Dovecot refuses to read mail as
root, so a test run by root becomes another user while it touches the mail.
"""

import imaplib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

import pytest

UNPRIVILEGED = 65534  # nobody
SECONDS = 30
CONFIGURATION = """\
base_dir = {folder}/run
ssl = no
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{maildir}
mail_plugins = quota
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=10M
}}
"""


def program(name):
    """The path of one of Dovecot's programs, or skip."""
    if shutil.which("doveconf") is None:
        pytest.skip("Dovecot is not installed")
    asked = subprocess.run(["doveconf", "-h", "libexec_dir"], capture_output=True, text=True, timeout=SECONDS)
    path = os.path.join(asked.stdout.strip(), name)
    if not os.access(path, os.X_OK):
        pytest.skip(f"Dovecot's {name} is not installed")
    return path


class Imap(imaplib.IMAP4_stream):
    """A session with the INBOX open."""

    def __init__(self, command):
        super().__init__(command)
        self.select()

    def uid_validity(self):
        return int(self.untagged("UIDVALIDITY"))

    def untagged(self, name):
        return self.response(name)[1][-1].decode()

    def messages(self):
        """UID → (RFC822.SIZE, text) of all messages, after another look."""
        self.select()
        found = {}
        for item in self.uid("FETCH", "1:*", "(RFC822.SIZE BODY.PEEK[])")[1]:
            if isinstance(item, tuple):
                uid, size = (int(re.search(rb"%s (\d+)" % name, item[0])[1]) for name in (b"UID", b"SIZE"))
                found[uid] = size, item[1]
        return found


class Dovecot:
    """Dovecot over one Maildir."""

    def __init__(self, folder, maildir):
        self._folder = folder
        self._configuration = os.path.join(folder, "dovecot.conf")
        self._log = os.path.join(folder, "dovecot.log")
        text = CONFIGURATION.format(folder=folder, maildir=maildir)
        if os.getuid() == 0:
            text += f"mail_uid = {UNPRIVILEGED}\nmail_gid = {UNPRIVILEGED}\n"
        with open(self._configuration, "w") as file:
            file.write(text)
        self._sessions = []

    def _command(self, name):
        path = program(name)
        return ["env", "-i", "USER=ann", f"HOME={self._folder}", path, "-o", "stats_writer_socket_path=",
                "-c", self._configuration]  # fmt: skip

    def imap(self):
        """Begin an IMAP session; ``stop`` ends it."""
        with privileged():
            session = Imap(f"exec {shlex.join(self._command('imap'))} 2>>{shlex.quote(self._log)}")
        self._sessions.append(session)
        return session

    def pop3(self, commands):
        """Say POP3 commands; the result is all that was answered."""
        with privileged(), open(self._log, "ab") as log:
            done = subprocess.run(
                self._command("pop3"),
                input=commands,
                stdout=subprocess.PIPE,
                stderr=log,
                timeout=SECONDS,
                check=True,
            )
        return done.stdout

    def complaints(self):
        """What it complained of since the last call."""
        with privileged(), open(self._log, "r+") as file:
            lines = [line for line in file if ": Info: " not in line]
            file.truncate(0)
        return lines

    def stop(self):
        for session in self._sessions:
            session.process.stdin.close()
            session.process.wait(SECONDS)
            session.process.stdout.close()


@contextmanager
def privileged():
    """As the user who runs the tests."""
    effective = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(effective)


@contextmanager
def unprivileged_folder():
    """A folder of a user who is not root, and be that user."""
    folder = tempfile.mkdtemp(prefix="mailsys-dovecot-")
    try:
        if os.getuid() != 0:
            yield folder
            return
        os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
        os.seteuid(UNPRIVILEGED)
        try:
            yield folder
        finally:
            os.seteuid(0)
    finally:
        shutil.rmtree(folder)
