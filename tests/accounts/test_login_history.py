"""What is kept of logins on the disk: known networks and blocks outlive the process, within bounds."""

import os
import sqlite3

import pytest
from login_house import PASSWORD, STRANGER, LoginCase
from twisted.internet.defer import Deferred, fail

from mailsys.accounts.history import file as files
from mailsys.accounts.history.file import KNOWN_SECONDS, LoginFile, open_existing
from mailsys.accounts.history.rows import Failures, Request, Seen, StoredBlock
from mailsys.interfaces import LoginFault
from mailsys.threads import NoThreads

HOME = "203.0.113.9"


class HistoryCase(LoginCase):
    def restart(self):
        """End, and begin anew; returns the blocks that were in force."""
        self.close_history()
        blocks = self.open_history()
        self.build(NoThreads())
        return blocks

    @property
    def file_path(self):
        return os.path.join(os.path.dirname(self.path), "logins.sqlite3")

    def opened(self):
        file = LoginFile(self.file_path)
        self.addCleanup(file.close)
        return file

    def is_known(self, name, host):
        return self.records.claimant(name, None, host).is_known


class KnownTests(HistoryCase):
    def test_a_network_is_known_after_a_login_and_after_a_restart(self):
        assert not self.is_known("alice@a.test", HOME)
        assert self.address("alice", host=HOME) == "alice@a.test"
        assert self.is_known("alice@a.test", "203.0.113.200")
        assert not self.is_known("alice@a.test", STRANGER)
        assert not self.is_known("old@a.test", HOME)
        self.restart()
        assert self.is_known("alice@a.test", HOME)

    def test_a_failed_login_makes_nothing_known(self):
        self.address("alice", "wrong", host=HOME)
        self.restart()
        assert not self.is_known("alice@a.test", HOME)

    def test_a_network_is_forgotten_after_some_months(self):
        self.address("alice", host=HOME)
        self.restart()
        self.clock.advance(KNOWN_SECONDS + 1)
        assert not self.is_known("alice@a.test", HOME)
        self.opened().prune(self.clock.seconds())
        assert self.opened().seen("alice@a.test") == []

    def test_what_is_kept_of_a_login(self):
        session = self.session(HOME, "smtp")
        session.tls, session.greeting = "TLSv1.3 TLS_AES", "laptop\x1b"
        for _ in range(3):
            self.outcome(self.login("alice", session=session))
            self.clock.advance(10)
        [seen] = self.opened().seen("alice@a.test")
        assert (seen.network, seen.service, seen.logins, seen.address) == ("203.0.113.0/24", "smtp", 3, HOME)
        assert (seen.mechanism, seen.tls, seen.program) == ("password", "TLSv1.3", "laptop\\x1b")
        assert seen.first < seen.last

    def test_what_is_kept_of_failures(self):
        for password in ("a", "b"):
            self.outcome(self.login("alice@a.test", password))
        self.outcome(self.login("nobody@a.test", "c"))
        self.close_history()
        [row] = self.opened().failures("alice@a.test", "")
        assert (row.failures, row.why, row.address, row.mechanism) == (
            2,
            "wrong password",
            STRANGER,
            "password",
        )
        [row] = self.opened().failures("", "nobody@a.test")
        assert row.why == "there is no such account"


class BlockTests(HistoryCase):
    def block_alice(self):
        for number in range(25):
            self.outcome(self.login("alice@a.test", f"guess {number}", host=f"198.51.{number}.1"))
        assert self.outcome(self.login("alice@a.test", host=STRANGER)) is LoginFault.BLOCKED

    def test_blocks_outlive_the_process(self):
        self.block_alice()
        [block] = self.restart()
        assert (block.kind, block.subject, block.name) == ("account", "alice@a.test", "alice@a.test")

    def test_an_operator_lifts_a_block_of_a_running_server(self):
        self.block_alice()
        self.clock.advance(1)
        self.opened().request([Request("account", "alice@a.test")], self.clock.seconds())
        self.clock.advance(1)
        assert self.address("alice@a.test", host=STRANGER) == "alice@a.test"
        assert self.opened().blocks(self.clock.seconds()) == []

    def test_requests_are_heeded_once(self):
        self.opened().request([Request("account", "alice@a.test")], self.clock.seconds())
        self.clock.advance(1)
        self.block_alice()
        self.clock.advance(1)
        self.opened().request([Request("account", "other@a.test")], self.clock.seconds())
        self.clock.advance(1)
        assert self.outcome(self.login("alice@a.test", host=STRANGER)) is LoginFault.BLOCKED

    def test_an_account_that_was_removed_is_forgotten(self):
        """Whoever gets its name later does not inherit its networks."""
        self.address("alice", host=HOME)
        self.clock.advance(10)
        self.opened().request([Request("forget", "alice@a.test")], self.clock.seconds())
        self.clock.advance(1)
        assert not self.is_known("alice@a.test", HOME)
        self.restart()
        assert not self.is_known("alice@a.test", HOME)


class FaultTests(HistoryCase):
    def test_a_full_disk_keeps_nobody_out_and_loses_nothing(self):
        def refuse(*_arguments):
            return fail(OSError(28, "No space left on device"))

        run, self.history._workers.run = self.history._workers.run, refuse
        assert self.address("alice", host=HOME) == "alice@a.test"
        self.clock.advance(10)
        assert self.is_known("alice@a.test", HOME)
        self.history._workers.run = run
        self.clock.advance(10)
        [seen] = self.opened().seen("alice@a.test")
        assert seen.logins == 1

    def test_a_damaged_file_is_put_aside(self):
        self.close_history()
        with open(self.file_path, "wb") as file:
            file.write(b"no database at all" * 100)
        self.open_history()
        self.build(NoThreads())
        self.flushLoggedErrors()
        assert self.address("alice", PASSWORD, host=HOME) == "alice@a.test"
        assert any("damaged" in name for name in os.listdir(os.path.dirname(self.path)))

    def test_the_decoys_secret_stays(self):
        secret = self.secret
        self.restart()
        assert self.secret == secret
        assert len(secret) == 32

    def test_it_is_for_its_owner_alone(self):
        assert os.stat(self.file_path).st_mode & 0o777 == 0o600


@pytest.mark.row(21)
@pytest.mark.row(64)
def test_the_file_is_bounded(tmp_path, monkeypatch):
    """Rows 21 and 64: of a mobile user, of a guessed account, and of names and networks without end."""
    monkeypatch.setattr(files, "STRANGE_FAILURE_ROWS", 50)
    file = LoginFile(str(tmp_path / "logins.sqlite3"))
    for number in range(300):
        at, network = float(number), f"2001:db8:0:{number:x}::/64"
        seen = Seen("ann@a.test", network, "pop3", at, at, 1, "::1", "PLAIN", "", "")
        failures = [
            Failures(account, network, "pop3", "wrong password", at, at, 1, "::1", "PLAIN", account or "x")
            for account in ("ann@a.test", "")
        ]
        file.write([seen], failures, [StoredBlock("network", network, at, at + 9, "x")])
    assert len(file.seen("ann@a.test")) == files.SEEN_ROWS
    assert file.seen("ann@a.test")[-1].last == 299
    assert len(file.failures("ann@a.test", "")) == files.FAILURE_ROWS
    assert len(file.failures("", "x")) == 50
    file.prune(299.0)
    assert len(file.blocks(299.0)) == 9
    file.close()


def test_a_command_makes_no_file(tmp_path):
    assert open_existing(str(tmp_path / "logins.sqlite3")) is None
    (tmp_path / "x").write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.Error):
        open_existing(str(tmp_path / "x"))


def test_nothing_waits_for_a_history_that_was_not_opened(tmp_path):
    from twisted.internet.task import Clock

    from mailsys.accounts.history.history import LoginHistory

    clock = Clock()
    history = LoginHistory(str(tmp_path / "x"), NoThreads(), clock, clock.seconds, lambda request: None)
    assert not history.is_known("ann@a.test", "192.0.2.0/24")
    history.succeeded(Seen("ann@a.test", "192.0.2.0/24", "pop3", 0, 0, 1, "", "", "", ""))
    assert history.is_known("ann@a.test", "192.0.2.0/24")  # in memory, for as long as the process lives
    ended = []
    Deferred.fromCoroutine(history.stop()).addCallback(ended.append)
    assert ended == [None]
    assert clock.getDelayedCalls() == []
