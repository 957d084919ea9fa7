"""Rows 20, 21 and 22 as every protocol must pass them: a suite, and the doors through which it goes.

A door is a protocol in memory over the real logins of ``LoginCase``.  A new protocol adds a door, and
a class of two lines in ``test_login_rows.py``.
"""

import base64
import sys
from pathlib import Path

import pytest
import scramp
from fakes import MemoryConnection
from login_house import ALICE, PASSWORD, STRANGER
from twisted.internet.defer import Deferred

TESTS = Path(__file__).parent.parent
HOME = "203.0.113.9"
TLS = "TLSv1.3 TLS_AES_256_GCM_SHA384"
BINDINGS = {"tls-server-end-point": b"digest of a certificate", "tls-exporter": b"e" * 32}


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


class Door:
    """One connection.  Each protocol says how AUTH is framed, and what its answers begin with."""

    def __init__(self, case, host=STRANGER, tls=TLS):
        self.clock = case.clock
        self.connection = MemoryConnection(self.clock, host=host, service=self.service, tls=tls)
        self.connection.bindings = BINDINGS
        self.talk = Deferred.fromCoroutine(self.conversation(case).run(self.connection))
        self.talk.addErrback(lambda failure: None)  # ConnectionEnded
        self.wait()

    def wait(self):
        """Let it finish its answer; the clock moves only for that."""
        for _ in range(500):
            if self.connection.output.endswith(b"\r\n") or self.connection.closed:
                break
            self.clock.advance(0.125)
        return self.connection.take()

    def say(self, line):
        self.connection.feed(line + b"\r\n")
        return self.wait()

    def auth(self, mechanism, *messages):
        """All of an exchange, the first message with AUTH; returns the last line that was heard."""
        heard = self.say(b"AUTH " + mechanism.encode() + b" " + (b64(messages[0]) or b"="))
        for message in messages[1:]:
            heard = self.say(b64(message))
        return heard

    def plain(self, name, password):
        return self.auth("PLAIN", f"\0{name}\0{password}")

    def challenge(self, heard):
        """What is inside a challenge."""
        assert heard.startswith(self.CHALLENGE), heard
        return base64.b64decode(heard[len(self.CHALLENGE) :])

    def scram(self, name, password, mechanism="SCRAM-SHA-256", binding=None):
        """As an honest client does it."""
        client = scramp.ScramClient([mechanism], name, password, channel_binding=binding)
        heard = self.auth(mechanism, client.get_client_first())
        client.set_server_first(self.challenge(heard).decode())
        heard = self.say(b64(client.get_client_final()))
        if heard.startswith(self.CHALLENGE):
            client.set_server_final(self.challenge(heard).decode())
            heard = self.say(b"")
        return heard


class SmtpDoor(Door):
    service = "submission"
    CHALLENGE, WELCOME, WRONG, BLOCKED = b"334 ", b"235 2.7.0", b"535 5.7.8", b"454 4.7.0"
    NOT_BASE64, CANCELLED, MALFORMED = b"501 5.5.2", b"501 5.7.0", b"535 5.7.8"
    OVER = b"421 4.7.0"

    def conversation(self, case):
        sys.path.insert(0, str(TESTS / "receive"))
        from smtp_house import House

        house = House()
        house.logins, house.journal = case.logins, case.journal
        return house.conversation(self.clock, service=self.service)

    def __init__(self, case, **where):
        super().__init__(case, **where)
        self.offer = self.say(b"EHLO client.example").decode()


class Pop3Door(Door):
    service = "pop3"
    CHALLENGE, WELCOME, WRONG, BLOCKED = b"+ ", b"+OK", b"-ERR [AUTH]", b"-ERR [SYS/TEMP]"
    NOT_BASE64 = CANCELLED = MALFORMED = b"-ERR "
    OVER = b"-ERR [AUTH]"

    def conversation(self, case):
        sys.path.insert(0, str(TESTS / "read"))
        from pop3_house import House

        house = House()
        house.logins, house.journal = case.logins, case.journal
        return house.conversation(self.clock)

    def __init__(self, case, **where):
        super().__init__(case, **where)
        self.offer = self.say(b"CAPA").decode()


class ImapDoor(Door):
    service = "imap"
    CHALLENGE, WELCOME = b"+ ", b"t OK [CAPABILITY"
    WRONG, BLOCKED = b"t NO [AUTHENTICATIONFAILED]", b"t NO [UNAVAILABLE]"
    NOT_BASE64 = CANCELLED = MALFORMED = b"t BAD "
    OVER = b"* BYE [EXPIRED]"

    def conversation(self, case):
        sys.path.insert(0, str(TESTS / "read"))
        from imap_house import House

        house = House()
        house.logins, house.journal = case.logins, case.journal
        return house.conversation(self.clock)

    def __init__(self, case, **where):
        super().__init__(case, **where)
        self.offer = self.say(b"CAPABILITY").decode().replace("AUTH=", "")

    def say(self, line):
        """Commands have tags, answers to challenges have none."""
        command = line.replace(b"AUTH ", b"AUTHENTICATE ", 1)
        is_command = command != line or line in (b"NOOP", b"CAPABILITY")
        return super().say(b"t " + command if is_command else line)


class LoginRows:
    """Mixed into a ``LoginCase`` that has a ``door``."""

    def guess(self, name, password="wrong", host=STRANGER):  # noqa: S107
        """One wrong password on a connection of its own; returns the answer and its seconds."""
        door = self.door(self, host=host)
        begun = self.clock.seconds()
        heard = door.plain(name, password)
        return heard, round(self.clock.seconds() - begun, 1)

    def succeed(self, name="alice@a.test", password=PASSWORD, host=STRANGER):
        door = self.door(self, host=host)
        return door.plain(name, password).startswith(door.WELCOME)

    def disable_for_a_moment(self, address):
        self.database.accounts.set_active(address, False)
        self.database.accounts.set_active(address, True)

    def remove_the_old_account(self):
        """The one whose hash is foreign: from then on SCRAM can be offered."""
        self.database.accounts.remove(self.old)
        self.clock.advance(1)

    # ------------------------------------------------------------------ row 20

    @pytest.mark.row(20)
    def test_bad_exchanges_fail_and_hurt_no_other_session(self):
        """Row 20: bad base64, 100 kB, ``*``, empty, NULs; another session goes on."""
        other = self.door(self, host=HOME)
        for line, expected in (
            (b"!!!!", "NOT_BASE64"),
            (b"*", "CANCELLED"),
            (b"", "MALFORMED"),
            (b64("\0a\0b\0c"), "MALFORMED"),
            (b64(b"\0a\0\xff"), "MALFORMED"),
        ):
            door = self.door(self)
            assert door.say(b"AUTH PLAIN") == door.CHALLENGE + b"\r\n"
            assert door.say(line).startswith(getattr(door, expected)), line
        door = self.door(self)
        door.say(b"AUTH PLAIN")
        door.connection.feed(b"A" * 100_000 + b"\r\n")
        door.wait()
        assert door.connection.closed or self.door(self).plain("alice", PASSWORD).startswith(door.WELCOME)
        assert other.plain("alice@a.test", PASSWORD).startswith(other.WELCOME)
        assert self.compared == ["argon2id"]

    @pytest.mark.row(20)
    def test_without_tls_nothing_is_offered_and_nothing_taken(self):
        """Row 20: no password in the clear, and no SCRAM either."""
        self.remove_the_old_account()
        door = self.door(self, tls="")
        assert "PLAIN" not in door.offer
        assert "SCRAM" not in door.offer
        for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
            heard = door.say(b"AUTH " + mechanism.encode() + b" " + b64("\0alice@a.test\0" + PASSWORD))
            assert heard.startswith(
                (b"538 5.7.11", b"-ERR Log in only after STLS", b"t NO [PRIVACYREQUIRED]")
            ), heard
        assert self.compared == []

    # ------------------------------------------------------------------ row 21

    @pytest.mark.row(21)
    def test_who_does_not_exist_fails_like_who_does(self):
        """Row 21: the same words, the same time and the same hashes, also for who may not log in."""
        self.database.accounts.add([self.new("disabled"), self.new("keyless", ())])
        self.database.accounts.set_active(self.address_of("disabled"), False)
        heard = {}
        for number, name in enumerate(("alice", "nobody", "disabled", "keyless", "no address")):
            self.compared.clear()
            heard[name] = (*self.guess(f"{name}@a.test", host=f"198.51.{number}.1"), list(self.compared))
        heard["disabled, right"] = self.guess("disabled@a.test", PASSWORD, "198.51.9.1")
        # The second wrong one for this name is answered a second later, as it is for any.
        assert heard.pop("disabled, right")[1] == 2.0
        [(words, seconds, hashes)] = {repr(value): value for value in heard.values()}.values()
        assert words.startswith(self.door.WRONG)
        assert (seconds, hashes) == (1.0, ["argon2id"])

    @pytest.mark.row(21)
    def test_a_foreign_hash_takes_no_other_time(self):
        """Row 21: the work is more, but the answer comes when it would anyway."""
        assert self.guess("old@a.test") == self.guess("nobody@a.test", host="198.51.1.1")
        assert self.compared == ["foreign", "argon2id", "argon2id"]

    @pytest.mark.row(21)
    def test_a_thousand_wrong_passwords_from_one_address(self):
        """Row 21: 535 ever more slowly, then 454 without a hash; the owner at home notices nothing."""
        assert self.succeed(host=HOME)
        self.compared.clear()
        heard = [self.guess("alice@a.test", f"guess {n}") for n in range(40)]
        wrong = [words for words, _ in heard if words.startswith(self.door.WRONG)]
        blocked = [words for words, _ in heard if words.startswith(self.door.BLOCKED)]
        assert (len(wrong), len(blocked)) == (10, 30)
        assert self.compared == ["argon2id"] * 10
        assert [seconds for _, seconds in heard[:5]] == [1, 2, 4, 8, 15]
        assert not self.succeed()  # the right password from there is not even looked at
        assert self.succeed(host=HOME)

    @pytest.mark.row(21)
    def test_a_thousand_addresses_on_one_user(self):
        """Row 21: strangers are blocked for that account; home and other accounts are as before."""
        assert self.succeed(host=HOME)
        heard = [self.guess("alice@a.test", f"guess {n}", f"198.{n >> 8}.{n & 255}.1")[0] for n in range(100)]
        tries = sum(words.startswith(self.door.WRONG) for words in heard)
        assert 20 <= tries <= 22  # some were forgotten meanwhile
        assert all(words.startswith(self.door.BLOCKED) for words in heard[tries:])
        assert not self.succeed(host="198.51.100.1")
        assert self.succeed(host=HOME)
        assert self.succeed("old@a.test", host="198.51.100.1")

    @pytest.mark.row(21)
    def test_a_name_that_does_not_exist_is_blocked_as_well(self):
        """Row 21: else the block would tell who exists."""
        alike = []
        for name in ("alice@a.test", "nobody@a.test"):
            alike.append([self.guess(name, f"{n}", f"198.{len(name)}.{n}.1") for n in range(25)])
        assert alike[0] == alike[1]
        assert alike[0][-1][0].startswith(self.door.BLOCKED)

    @pytest.mark.row(21)
    def test_who_guesses_beside_the_owner_learns_nothing_and_does_not_lock_him_out(self):
        """Row 21: a blocked network answers alike whether a name is known there or not."""
        assert self.succeed(host=HOME)
        neighbour = "203.0.113.77"
        for number in range(10):
            self.guess(f"user{number}@a.test", host=neighbour)
        assert self.guess("nobody@a.test", host=neighbour) == self.guess("alice@a.test", host=neighbour)
        assert self.succeed(host=neighbour)
        assert self.succeed(host=HOME)

    @pytest.mark.row(21)
    def test_guesses_at_an_account_from_its_own_network_are_slow_and_the_owner_gets_in(self):
        """Row 21: after twenty he waits for his turn, whoever he is."""
        assert self.succeed(host=HOME)
        for number in range(30):
            self.guess("alice@a.test", f"guess {number}", HOME)
        assert self.guard.is_paced(self.records.claimant("alice@a.test", ALICE, HOME))
        assert self.succeed(host=HOME)
        assert self.guess("alice@a.test", "oops", HOME)[1] < 5

    @pytest.mark.row(21)
    def test_ipv6_rotation(self):
        """Row 21: each address of a /64 is the same one."""
        heard = [self.guess(f"user{n}@a.test", host=f"2001:db8:0:1::{n:x}")[0] for n in range(40)]
        assert 30 <= sum(words.startswith(self.door.WRONG) for words in heard) <= 32
        assert heard[-1].startswith(self.door.BLOCKED)

    # ------------------------------------------------------------------ SCRAM and row 22

    def test_scram_is_offered_while_all_have_keys(self):
        assert "SCRAM" not in self.door(self).offer
        self.remove_the_old_account()
        door = self.door(self)
        assert "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN" in door.offer
        assert door.scram("alice@a.test", PASSWORD).startswith(door.WELCOME)
        door = self.door(self)
        binding = ("tls-server-end-point", BINDINGS["tls-server-end-point"])
        assert door.scram("alice", PASSWORD, "SCRAM-SHA-256-PLUS", binding).startswith(door.WELCOME)
        assert [
            event.facts["mechanism"] for event in self.journal.events if event.facts["event"] == "login"
        ] == [
            "SCRAM-SHA-256",
            "SCRAM-SHA-256-PLUS",
        ]

    @pytest.mark.row(21)
    @pytest.mark.row(22)
    def test_scram_for_who_does_not_exist(self):
        """Rows 21 and 22: a salt of their own that stays, the same iterations, and the same end."""
        self.database.accounts.add([self.new("disabled", self.own(PASSWORD))])
        self.remove_the_old_account()
        salts = {}
        for name in ("alice", "nobody", "else", "disabled", "nobody"):
            door = self.door(self, host=f"198.51.{len(salts)}.1")
            first = door.challenge(door.auth("SCRAM-SHA-256", f"n,,n={name}@a.test,r=abc")).decode()
            nonce, salt, iterations = first.split(",")
            assert nonce.startswith("r=abc")
            assert (len(salt), iterations) == (26, "i=65536")
            assert salts.setdefault(name, salt) == salt
        assert len(set(salts.values())) == 4
        self.database.accounts.set_active(self.address_of("disabled"), False)
        self.clock.advance(1)
        answers = []
        for number, name in enumerate(("alice", "nobody", "disabled")):
            door = self.door(self, host=f"198.51.{number}.1")
            password = PASSWORD if name == "disabled" else "wrong"
            begun = self.clock.seconds()
            answers.append((door.scram(f"{name}@a.test", password), round(self.clock.seconds() - begun, 1)))
        assert len(set(answers)) == 1
        assert answers[0][0].startswith(self.door.WRONG)

    @pytest.mark.row(22)
    def test_scram_that_cheats(self):
        """Row 22: downgrade, wrong binding, p= in the wrong place: refused, and told to the journal."""
        self.remove_the_old_account()
        door = self.door(self)
        assert door.auth("SCRAM-SHA-256", "y,,n=alice,r=abc").startswith(door.WRONG)
        binding = ("tls-server-end-point", b"of another connection")
        heard = self.door(self).scram("alice@a.test", PASSWORD, "SCRAM-SHA-256-PLUS", binding)
        assert heard.startswith(door.WRONG)
        assert "somebody may sit in between" in self.journal.events[-1].facts["why"]
        for mechanism, first in (
            ("SCRAM-SHA-256", "p=tls-exporter,,n=alice,r=abc"),
            ("SCRAM-SHA-256-PLUS", "n,,n=alice,r=abc"),
            ("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=alice,r=abc"),
        ):
            assert self.door(self).auth(mechanism, first).startswith(door.MALFORMED)

    @pytest.mark.row(21)
    @pytest.mark.row(22)
    def test_guesses_over_scram_are_counted_with_the_others(self):
        """Rows 21 and 22: and who is blocked hears so only at the end, right password or not."""
        self.remove_the_old_account()
        assert self.succeed(host=HOME)
        for number in range(5):
            self.guess("alice@a.test", f"{number}")
            assert self.door(self).scram("alice@a.test", f"s{number}").startswith(self.door.WRONG)
        assert self.door(self).scram("alice@a.test", "another").startswith(self.door.BLOCKED)
        assert self.door(self).scram("alice@a.test", PASSWORD).startswith(self.door.BLOCKED)
        assert self.door(self).scram("nobody@a.test", PASSWORD).startswith(self.door.BLOCKED)
        assert self.door(self, host=HOME).scram("alice@a.test", PASSWORD).startswith(self.door.WELCOME)

    # ------------------------------------------------------------------ and what else all must do

    @pytest.mark.row(62)
    def test_the_journal_tells_who_from_where_how_and_why_and_no_password(self):
        """Row 62: nor is one in any text of ours."""
        self.guess("alice@a.test", "wr0ng")
        self.guess("nobody@a.test", "wr0ng")
        self.succeed()
        told = [event.facts for event in self.journal.events if event.facts["event"] == "login"]
        assert [facts["succeeded"] for facts in told] == [False, False, True]
        assert [facts.get("why") for facts in told] == ["wrong password", "there is no such account", None]
        assert told[2]["mechanism"] == "PLAIN"
        assert (told[2]["peer"], told[2]["tls"], told[2]["login"]) == (STRANGER, TLS, "alice@a.test")
        assert "wr0ng" not in repr(self.journal.events)
        assert PASSWORD not in repr(self.journal.events)

    def test_a_changed_password_or_a_disabled_account_ends_the_session(self):
        changes = (
            lambda: self.database.accounts.set_password(ALICE, self.own("another")),
            lambda: self.disable_for_a_moment(ALICE),
            lambda: self.database.accounts.remove(ALICE),
        )
        password = PASSWORD
        for change in changes:
            door = self.door(self)
            assert door.plain("alice@a.test", password).startswith(door.WELCOME)
            assert door.say(b"NOOP").startswith((b"250", b"+OK", b"-ERR Command", b"t OK"))
            change()
            self.clock.advance(1)
            assert door.say(b"NOOP").startswith(door.OVER)
            assert door.connection.closed
            password = "another"

    def test_an_old_hash_that_is_renewed_ends_no_session(self):
        first, second = self.door(self), self.door(self, host=HOME)
        assert first.plain("old@a.test", PASSWORD).startswith(first.WELCOME)
        assert self.database.accounts.password(self.old).kind == "argon2id"
        self.clock.advance(1)
        assert not first.say(b"NOOP").startswith(first.OVER)
        assert second.connection.output == b""
