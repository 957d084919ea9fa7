"""Who is counted where, how fast strangers may come, and that their number costs no memory."""

import ipaddress
import random

import pytest
from twisted.internet.task import Clock

from mailsys.interfaces import Peer
from mailsys.net.descriptors import Descriptors, needed_for
from mailsys.net.limits import Allowance, ConnectionLimits, Objection, Rules
from mailsys.net.origin import origin_of, plain_host, shown
from mailsys.net.rates import MOST_KEYS, RateTable
from mailsys.net.refusals import MOST_A_MINUTE, SparingNote


class Doorway:
    """Limits with a clock; ``let_in`` returns what speaks against one connection more, or nothing."""

    def __init__(self, total=0, exempt=(), **allowance):
        self.clock = Clock()
        networks = tuple(ipaddress.ip_network(one) for one in exempt)
        rules = Rules(total, {"smtp": Allowance(**allowance), "pop3": Allowance()}, networks)
        self.limits = ConnectionLimits(self.clock.seconds, rules)
        self.places = []

    def let_in(self, host, service="smtp"):
        place = self.limits.enter()
        if isinstance(place, Objection):
            return place.reason
        objection = place.identify(Peer(host, 40000, service))
        if objection is not None:
            place.leave()
            return objection.reason
        self.places.append(place)
        return ""

    def leave(self):
        self.places.pop(0).leave()


@pytest.mark.row(25)
def test_an_address_has_its_limit_and_others_have_theirs():
    """Row 25: one connection more than the limit of one address."""
    door = Doorway(open_per_address=2)
    assert [door.let_in("192.0.2.1") for _ in range(2)] == ["", ""]
    assert door.let_in("192.0.2.1") == "2 connections from 192.0.2.1 are open"
    assert door.let_in("192.0.2.2") == ""
    door.leave()
    assert door.let_in("192.0.2.1") == ""


@pytest.mark.row(25)
def test_who_has_many_addresses_has_a_network():
    """Row 25: another address of the same /24 or /48 helps only so far; in IPv6 the /64 is one address."""
    door = Doorway(open_per_address=2, open_per_network=3)
    assert [door.let_in(f"192.0.2.{number}") for number in range(4)] == [
        "", "", "", "3 connections from 192.0.2.0/24 are open",
    ]  # fmt: skip
    assert [door.let_in(f"2001:db8:1:2::{number}") for number in range(1, 4)] == [
        "", "", "2 connections from 2001:db8:1:2::/64 are open",
    ]  # fmt: skip
    assert [door.let_in(f"2001:db8:1:{number}::1") for number in (3, 4)] == [
        "", "3 connections from 2001:db8:1::/48 are open",
    ]  # fmt: skip
    assert door.let_in("2001:db8:2::1") == ""


def test_each_service_counts_by_itself_and_the_total_counts_all():
    door = Doorway(total=4, open_per_address=1)
    assert door.let_in("192.0.2.1") == ""
    assert door.let_in("192.0.2.1")
    assert [door.let_in("192.0.2.1", "pop3") for _ in range(4)] == [
        "", "", "", "4 connections are open, which is all there may be",
    ]  # fmt: skip


def test_a_flood_of_one_service_leaves_room_for_the_others():
    door = Doorway(total=100)
    told = [door.let_in(f"198.51.{number}.1") for number in range(100)]
    assert told.count("") == 75
    assert set(told[75:]) == {"75 connections to smtp are open"}
    assert [door.let_in("192.0.2.1", "pop3") for _ in range(10)] == [""] * 10
    assert [door.let_in("127.0.0.1") for _ in range(15)] == [""] * 15


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "", "198.51.100.9", "2001:db8:9::1"])
def test_who_is_here_or_trusted_counts_in_the_total_only(host):
    door = Doorway(
        total=5, exempt=("198.51.100.0/24", "2001:db8:9::/48"), open_per_address=1, new_per_address=1
    )
    assert [door.let_in(host) for _ in range(5)] == [""] * 5
    assert "5 connections" in door.let_in(host)


@pytest.mark.row(25)
def test_ten_thousand_connections_a_minute():
    """Row 25: so many get in as may; with time, they do again.  Those refused do not count."""
    door = Doorway(new_per_address=100, new_per_network=150)
    told = [door.let_in("192.0.2.1") for _ in range(10_000)]
    assert told.count("") == 100
    assert set(told) == {"", "100 connections came from 192.0.2.1 within a minute"}
    assert [door.let_in("192.0.2.2") for _ in range(51)].count("") == 50
    door.clock.advance(90)
    assert [door.let_in("192.0.2.1") for _ in range(100)].count("") == 50
    door.clock.advance(120)
    assert [door.let_in("192.0.2.1") for _ in range(100)].count("") == 100


def test_rules_that_change_count_who_is_there_already():
    door = Doorway()
    assert [door.let_in("192.0.2.1") for _ in range(3)] == [""] * 3
    door.limits.rules = Rules(10, {"smtp": Allowance(open_per_address=2)})
    assert door.let_in("192.0.2.1")
    door.leave()
    door.leave()
    assert [bool(door.let_in("192.0.2.1")) for _ in range(2)] == [False, True]


def test_nothing_is_left_of_those_who_have_gone():
    door = Doorway(open_per_address=5)
    for number in range(1000):
        door.let_in(f"192.0.2.{number % 250}")
    while door.places:
        door.leave()
    assert door.limits.open == 0
    assert not door.limits.door("smtp").open


@pytest.mark.row(64)
def test_a_million_addresses_do_not_grow_the_table():
    """Row 64: the table is bounded, and who comes often is known in spite of the crowd."""
    clock, dice = Clock(), random.Random(1)
    table, largest = RateTable(clock.seconds), 0
    for number in range(1_000_000):
        table.count(dice.getrandbits(64).to_bytes(8, "big"))
        if number % 100 == 0:
            table.count(b"often")
            clock.advance(0.001)
            largest = max(largest, len(table))
    assert largest <= 2 * MOST_KEYS
    assert table.rate(b"often") > 50


def test_a_rate_goes_with_the_clock():
    clock = Clock()
    table = RateTable(clock.seconds)
    for _ in range(60):
        table.count(b"key")
    assert table.rate(b"key") == 60
    rates = []
    for _ in range(4):
        clock.advance(30)
        rates.append(table.rate(b"key"))
    assert rates == [60, 60, 30, 0]
    clock.advance(1e6)
    assert table.rate(b"key") == 0
    assert len(table) == 0


@pytest.mark.parametrize(
    ("host", "address", "network"),
    [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:a:b:c:d:e:f", "2001:db8:a:b::/64", "2001:db8:a::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    ],
)
def test_an_origin_in_both_widths(host, address, network):
    origin = origin_of(host)
    assert (shown(origin.address), shown(origin.network)) == (address, network)


def test_what_is_no_address_has_no_origin():
    assert [origin_of(host) for host in ("", "mail.example", "1.2.3", "192.0.2.7.8", ":")] == [None] * 5
    assert plain_host("::ffff:192.0.2.1") == "192.0.2.1"


def test_a_flood_of_refusals_is_told_sparingly():
    clock, told = Clock(), []
    note = SparingNote(clock.seconds, lambda peer, farewell, reason: told.append((peer.host, reason)))
    for number in range(100):
        note(Peer("192.0.2.1", number, "smtp"), b"", f"reason {number}")
    assert told == [("192.0.2.1", "reason 0")]
    note(Peer("192.0.2.1", 1, "pop3"), b"", "of another service")
    for number in range(1000):
        note(Peer(f"198.51.{number % 256}.{number // 256}", 1, "smtp"), b"", "full")
    assert len(told) == MOST_A_MINUTE
    clock.advance(121)
    note(Peer("192.0.2.1", 1, "smtp"), b"", "later")
    assert told[-1] == ("192.0.2.1", "later")


@pytest.mark.row(25)
@pytest.mark.parametrize("files", [64, 256, 1024, 20_000, 1 << 20])
def test_descriptors_are_left_for_files(files):
    """Row 25: a quarter of them, and some more, whatever number there is."""
    descriptors = Descriptors(files)
    most = descriptors.for_connections
    assert 1 <= most <= files * 3 / 4
    if most > 1:
        assert not descriptors.is_short(most + 63)
        assert descriptors.is_short(most + 64)
        assert files - most - 64 >= files // 4 - 1
    assert Descriptors(needed_for(10_000)).for_connections >= 10_000
