"""Ten sessions at once on real Maildirs, and another program in the same folders: what each hears is true."""

import os
import random
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from exchange import SECONDS

sys.path.insert(0, str(Path(__file__).parent.parent / "read"))

from imap_crowd import FOLDERS, Believer

CLIENTS = 10
ACT_SECONDS = float(os.environ.get("MAILSYS_CROWD_SECONDS", "6"))

pytestmark = pytest.mark.timeout(120 + 2 * ACT_SECONDS)


class Line:
    """A connection that is logged in."""

    def __init__(self, host, someone):
        where = host.organisation
        self.socket = socket.create_connection((where.address, where.port("imap")), timeout=SECONDS)
        self._heard = b""
        self._line()
        assert self.ask(f'l LOGIN {someone.address} "{someone.password}"')[-1].startswith("l OK")

    def _line(self):
        while b"\r\n" not in self._heard:
            data = self.socket.recv(65536)
            assert data, "the server has hung up"
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\r\n")
        return line.decode()

    def ask(self, text):
        """Say a command, or DONE, and hear the lines up to its end."""
        self.socket.sendall(text.encode() + b"\r\n")
        ends = ("+",) if text.endswith(" IDLE") else (f"{self.tag} ",) if text == "DONE" else None
        if ends is None or ends == ("+",):
            self.tag = text.partition(" ")[0]
        ends = ends or (f"{self.tag} ",)
        lines = [self._line()]
        while not lines[-1].startswith(ends):
            lines.append(self._line())
        return lines

    def drain(self):
        """Whole lines that came by themselves."""
        self.socket.settimeout(0.01)
        try:
            self._heard += self.socket.recv(65536)
        except TimeoutError:
            pass
        finally:
            self.socket.settimeout(SECONDS)
        lines = []
        while b"\r\n" in self._heard:
            lines.append(self._line())
        return lines


class OtherProgram(threading.Thread):
    """Delivers into folders and changes flags, as mutt on the same tree would."""

    def __init__(self, maildir, until):
        super().__init__(daemon=True)
        self._folders = [maildir, maildir / ".Archive", maildir / ".Work"]
        self._until = until
        self._random = random.Random(99)
        self.delivered = 0

    def run(self):
        while time.monotonic() < self._until:
            folder = self._random.choice(self._folders)
            name = f"{time.time():.6f}.other{self.delivered}.host"
            (folder / "tmp" / name).write_bytes(b"Message-ID: <%b@other>\r\n\r\nhello\r\n" % name.encode())
            (folder / "tmp" / name).rename(folder / "new" / name)
            self.delivered += 1
            self._flag(self._random.choice(self._folders))
            time.sleep(0.02)

    def _flag(self, folder):
        there = [path for path in (folder / "cur").iterdir() if ":2," in path.name]
        if there:
            path = self._random.choice(there)
            base, _, flags = path.name.partition(":2,")
            try:
                path.rename(path.with_name(f"{base}:2,{''.join(sorted({*flags, 'R'}))}"))
            except FileNotFoundError:
                pass  # somebody was there first


def act(believer, until, failures):
    try:
        believer.select(believer.random.choice(FOLDERS))
        while time.monotonic() < until:
            believer.act()
        believer.leave_idle()
    except BaseException as failure:
        failures.append((believer.name, failure))
        raise


def test_everybody_finds_true_what_he_was_told(host, someone):
    first = Line(host, someone)
    for name in FOLDERS[1:]:
        first.ask(f"x CREATE {name}")
    user, _, domain = someone.address.partition("@")
    maildir = host.directory / "data" / "mail" / domain / user
    until = time.monotonic() + ACT_SECONDS
    other = OtherProgram(maildir, until)
    clients, failures = [], []
    for number in range(CLIENTS):
        line = Line(host, someone)
        own = random.Random(f"{number}")
        clients.append(Believer(f"c{number}", own, line.ask, line.drain, qresync=number % 3 == 0))
    threads = [threading.Thread(target=act, args=(one, until, failures), daemon=True) for one in clients]
    for thread in [other, *threads]:
        thread.start()
    for thread in [other, *threads]:
        thread.join(ACT_SECONDS + 4 * SECONDS)
    assert not failures, failures
    assert other.delivered > 10
    for one in clients:
        one.command("NOOP")
    for one in clients:
        one.command("NOOP")
        believed = {uid: one.flags[uid] for uid in one.uids if uid in one.flags}
        one.look()
        for uid, flags in believed.items():
            assert one.flags[uid] == flags, (one.name, one.folder, uid)
    for folder in FOLDERS:
        seen = {tuple(one.uids) for one in clients if one.folder == folder}
        assert len(seen) <= 1
        on_disk = maildir if folder == "INBOX" else maildir / f".{folder}"
        count = sum(len(list((on_disk / name).iterdir())) for name in ("cur", "new"))
        assert {len(uids) for uids in seen} <= {count}
