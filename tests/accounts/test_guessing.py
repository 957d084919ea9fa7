"""The counts by themselves: growing pauses, blocks that end, bounds, and what nobody can push out."""

import itertools

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsys.accounts.guessing import tally as tallies
from mailsys.accounts.guessing.guard import Claimant, Guard, Rules
from mailsys.accounts.guessing.networks import LOCAL, network_of
from mailsys.accounts.guessing.tally import Lengths, Tally
from mailsys.accounts.guessing.turns import LONGEST_WAIT_SECONDS, MOST_WAITING, PACE_SECONDS, Turns

LENGTHS = Lengths(900, 8 * 3600)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return Guard(clock.seconds, b"k" * 32, Rules())


def claimant(name="bob@a.test", host="192.0.2.1", known=False):
    return Claimant(name, host, network_of(host), known)


passwords = (f"guess {number}" for number in itertools.count())


def fail(guard, times=1, **who):
    for _ in range(times):
        penalty = guard.failed(claimant(**who), next(passwords))
    return penalty


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", LOCAL),
        ("/run/socket", LOCAL),
    ],
)
def test_networks(host, network):
    assert network_of(host) == network


def test_pauses_grow(guard):
    pauses = [guard.failed(claimant(host=f"198.51.{n}.1"), next(passwords)).pause_seconds for n in range(6)]
    assert pauses == [1, 2, 4, 8, 15, 15]


@pytest.mark.row(21)
def test_one_address_with_many_names_is_blocked(guard, clock):
    """Row 21: ten failures; strangers there must wait, neighbours in the network not yet."""
    for number in range(9):
        assert fail(guard, name=f"user{number}@a.test").blocks == ()
    [block] = fail(guard, name="user9@a.test").blocks
    assert (block.kind, block.subject, block.seconds) == ("address", "192.0.2.1", 900)
    assert guard.blocked_seconds(claimant("new@a.test")) == 900
    assert not guard.blocked_seconds(claimant("new@a.test", "192.0.2.2"))
    clock.advance(901)
    assert not guard.blocked_seconds(claimant("new@a.test"))


@pytest.mark.row(21)
@pytest.mark.parametrize("pattern", ["192.0.2.{}", "2001:db8::{}"])
def test_another_address_of_the_same_network_is_of_no_use(guard, pattern):
    """Row 21: a /24 and a /64 are counted as one."""
    for number in range(30):
        penalty = fail(guard, name=f"user{number}@a.test", host=pattern.format(number + 1))
    assert [block.kind for block in penalty.blocks] == ["network"]
    assert guard.blocked_seconds(claimant("new@a.test", pattern.format(99)))


@pytest.mark.row(21)
def test_a_thousand_addresses_on_one_user(guard):
    """Row 21: the account is blocked for strangers, and for nobody who is known."""
    for number in range(20):
        penalty = fail(guard, host=f"198.51.{number}.1")
    assert [block.kind for block in penalty.blocks] == ["account"]
    assert guard.blocked_seconds(claimant(host="203.0.113.1"))
    assert not guard.blocked_seconds(claimant(host="203.0.113.1", known=True))
    assert not guard.blocked_seconds(claimant("ann@a.test", "203.0.113.1"))


def test_each_further_block_is_longer_for_a_day(guard, clock):
    lengths = []
    for _ in range(7):
        lengths.append(fail(guard, 10).blocks[0].seconds)
        clock.advance(lengths[-1] + 1)
    assert lengths == [900, 1800, 3600, 7200, 14_400, 28_800, 28_800]
    clock.advance(tallies.BLOCKS_SECONDS + 1)
    assert fail(guard, 10).blocks[0].seconds == 900


def test_failures_are_forgotten(guard, clock):
    """Somebody who mistypes now and then is never blocked."""
    for _ in range(200):
        assert fail(guard).blocks == ()
        clock.advance(600)


def test_a_program_with_an_old_password_does_not_guess(guard, clock):
    """It says the same wrong one every minute: one failure an hour, and a pause each time."""
    for _ in range(600):
        penalty = guard.failed(claimant(), "the old one")
        assert penalty.pause_seconds >= 1
        assert penalty.blocks == ()
        clock.advance(60)


def test_who_is_known_spoils_nothing_for_neighbours_until_it_is_much(guard):
    fail(guard, 19, known=True)
    assert not guard.place_blocked_seconds("192.0.2.1")
    assert not guard.is_paced(claimant(known=True))
    fail(guard, 12, known=True)
    assert guard.is_paced(claimant(known=True))
    assert guard.place_blocked_seconds("192.0.2.1")
    assert not guard.blocked_seconds(claimant(known=True))


def test_the_right_password_forgives_its_own_pair_only(guard):
    """Else whoever has an account could log in between his guesses at others."""
    fail(guard, 20, known=True)
    fail(guard, 8, name="ann@a.test")
    assert guard.is_paced(claimant(known=True))
    guard.succeeded(claimant(known=True))
    assert not guard.is_paced(claimant(known=True))
    assert fail(guard, 1, name="ann@a.test").blocks


def test_networks_that_are_never_blocked(clock):
    import ipaddress

    rules = Rules(never_blocked=(ipaddress.ip_network("192.0.2.0/24"),))
    guard = Guard(clock.seconds, b"k" * 32, rules)
    for number in range(100):
        assert fail(guard, name=f"user{number}@a.test").blocks == ()
    assert [block.kind for block in fail(guard, 20).blocks] == ["account"]


def test_limits_may_be_off(clock):
    guard = Guard(clock.seconds, b"k" * 32, Rules(per_address=0, per_network=0, per_account=0))
    assert fail(guard, 200).blocks == ()
    assert not guard.is_paced(claimant(known=True))


def test_what_an_operator_forgives(guard):
    fail(guard, 10)
    guard.forgive("address", "192.0.2.1")
    assert not guard.blocked_seconds(claimant("ann@a.test"))
    assert fail(guard, 9, name="cid@a.test").blocks == ()


@pytest.mark.row(21)
@pytest.mark.row(64)
def test_a_million_names_and_networks_push_out_nobody_who_guesses(clock, monkeypatch):
    """Rows 21 and 64: bounded under rotation; what was blocked, or tried three times, stays."""
    monkeypatch.setattr(tallies, "MOST_LIGHT", 100)
    monkeypatch.setattr(tallies, "MOST_HEAVY", 100)
    tally = Tally(clock.seconds)
    for _ in range(10):
        tally.add(b"blocked", 10, LENGTHS)
    for _ in range(3):
        tally.add(b"tried", 10, LENGTHS)
    for number in range(100_000):
        tally.add(b"%d" % number, 10, LENGTHS)
    assert len(tally) <= 200
    assert tally.blocked_seconds(b"blocked")
    assert tally.level(b"tried", 10) == 3


def test_the_tables_are_bounded_as_they_are(clock):
    guard = Guard(clock.seconds, b"k" * 32, Rules())
    for number in range(20_000):
        guard.failed(claimant(f"{number}@a.test", f"2001:db8:{number:x}::1"), f"{number}")
    sizes = [len(tally) for tally in guard._tallies.values()]
    assert max(sizes) <= tallies.MOST_LIGHT + tallies.MOST_HEAVY
    assert len(guard._repeats) <= 5_000


# Turns


def test_one_in_a_line_is_heard_every_other_second(clock):
    turns = Turns(clock, lambda below: 0)
    heard = []
    for number in range(4):
        Deferred.fromCoroutine(turns.wait("line")).addCallback(lambda yes, n=number: heard.append((n, yes)))
    assert heard == [(0, True)]
    clock.advance(PACE_SECONDS)
    assert heard[1:] == [(1, True)]
    clock.pump([PACE_SECONDS] * 3)
    assert [yes for _n, yes in heard] == [True] * 4
    assert turns._lines == {}


def test_a_line_is_bounded_and_nobody_waits_for_ever(clock):
    turns = Turns(clock, lambda below: below - 1)
    answers = []
    for _ in range(MOST_WAITING + 10):
        Deferred.fromCoroutine(turns.wait("line")).addCallback(answers.append)
    assert answers.count(False) == 9
    clock.pump([PACE_SECONDS] * int(LONGEST_WAIT_SECONDS / PACE_SECONDS))
    assert len(answers) == MOST_WAITING + 10
    assert answers.count(True) == 1 + LONGEST_WAIT_SECONDS / PACE_SECONDS - 1
