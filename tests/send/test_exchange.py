"""Which hosts are tried: preference, chance, what DNS says and does not say, and ourselves."""

import pytest
from twisted.trial.unittest import SynchronousTestCase
from zones import ZoneResolver

from mailsys.message.outcome import Step
from mailsys.send.addresses import OwnHost, is_of_this_machine, is_public
from mailsys.send.exchange import ADDRESSES, HOSTS, Exchanges
from mailsys.send.trouble import Trouble


def run(coroutine):
    """The result of what never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


class Searching(SynchronousTestCase):
    def exchanges(self, zone, *, own=None, allow_private=False, port=25):
        self.resolver = ZoneResolver(zone)
        own = own or OwnHost("client.test")
        return Exchanges(self.resolver, own, lambda names: names.sort(), port, allow_private)

    def search(self, zone, domain="example.test", **settings):
        """All hosts, group by group, as names with addresses."""
        search = run(self.exchanges(zone, **settings).search(domain))
        groups = []
        while hosts := run(search.next_hosts()):
            groups.append([(host.name, host.addresses) for host in hosts])
        return groups

    def trouble(self, zone, domain="example.test", unavailable=(), **settings):
        """The reply when there is no host."""
        exchanges = self.exchanges(zone, **settings)
        self.resolver.unavailable.update(unavailable)
        with pytest.raises(Trouble) as raised:
            run(run(exchanges.search(domain)).next_hosts())
        assert raised.value.step is Step.ROUTE
        return raised.value.reply

    def test_preference_and_chance(self):
        zone = """
        example.test. 60 MX 20 c.test.
        example.test. 60 MX 10 b.test.
        example.test. 60 MX 10 a.test.
        a.test. 60 A 9.9.9.1
        b.test. 60 A 9.9.9.2
        b.test. 60 AAAA 2620:fe::9
        c.test. 60 A 9.9.9.3
        """
        assert self.search(zone) == [
            [("a.test", ("9.9.9.1",)), ("b.test", ("2620:fe::9", "9.9.9.2"))],
            [("c.test", ("9.9.9.3",))],
        ]

    def test_equals_are_shuffled(self):
        exchanges = Exchanges(ZoneResolver(), OwnHost("client.test"), lambda names: names.reverse())
        names = "example.test. 60 MX 10 a.test.\nexample.test. 60 MX 10 b.test.\n"
        zone = names + "a.test. 60 A 9.9.9.1\nb.test. 60 A 9.9.9.2"
        forward = self.search(zone)
        exchanges.resolver.zone = self.resolver.zone
        backward = run(run(exchanges.search("example.test")).next_hosts())
        assert [host.name for host in backward] == [name for name, _ in forward[0]][::-1]

    def test_implicit_mx(self):
        assert self.search("example.test. 60 A 9.9.9.9") == [[("example.test", ("9.9.9.9",))]]

    @pytest.mark.row(30)
    def test_implicit_mx_is_only_for_domains_without_mx(self):
        zone = "example.test. 60 A 9.9.9.9\nexample.test. 60 MX 10 gone.test."
        reply = self.trouble(zone)
        assert (reply.code, reply.enhanced) == (550, "5.4.4")

    def test_an_address_literal(self):
        assert self.search("", "[9.9.9.9]") == [[("9.9.9.9", ("9.9.9.9",))]]
        assert self.search("", "[IPv6:2620:fe::9]") == [[("2620:fe::9", ("2620:fe::9",))]]
        assert self.trouble("", "[127.0.0.1]").enhanced == "5.4.6"

    @pytest.mark.row(30)
    def test_null_mx(self):
        reply = self.trouble("example.test. 60 MX 0 .")
        assert (reply.code, reply.enhanced) == (556, "5.1.10")
        zone = "example.test. 60 MX 0 .\nexample.test. 60 MX 10 a.test.\na.test. 60 A 9.9.9.1"
        assert self.search(zone) == [[("a.test", ("9.9.9.1",))]]

    def test_no_such_domain(self):
        reply = self.trouble("")
        assert (reply.code, reply.enhanced) == (550, "5.1.2")

    @pytest.mark.row(30)
    def test_dns_that_does_not_answer_is_temporary(self):
        reply = self.trouble("", unavailable=["example.test"])
        assert (reply.code, reply.enhanced) == (451, "4.4.3")
        zone = "example.test. 60 MX 10 a.test.\nexample.test. 60 MX 20 b.test."
        assert self.trouble(zone, unavailable=["a.test"]).enhanced == "4.4.3"
        assert self.trouble(zone, unavailable=["b.test"]).enhanced == "4.4.3"

    @pytest.mark.row(30)
    def test_a_circle_of_aliases(self):
        zone = "example.test. 60 CNAME other.test.\nother.test. 60 CNAME example.test."
        assert self.trouble(zone).is_transient

    @pytest.mark.row(30)
    def test_an_mx_that_is_an_address(self):
        """Row 30: even if that were a public one."""
        for target in ("9.9.9.9.", "127.0.0.1.", "10.0.0.1."):
            assert self.trouble(f"example.test. 60 MX 10 {target}").enhanced == "5.4.4"

    @pytest.mark.row(30)
    def test_private_addresses(self):
        """Row 30: nobody can make us speak with what is behind our firewall."""
        for address in (
            "127.0.0.1",
            "127.1.2.3",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.0.1",
            "0.0.0.0",
        ):
            zone = f"example.test. 60 MX 10 a.test.\na.test. 60 A {address}"
            reply = self.trouble(zone)
            assert (reply.enhanced, address in reply.text) == ("5.4.6", True)
            assert self.search(zone, allow_private=True) == [[("a.test", (address,))]]
        mixed = "example.test. 60 A 10.0.0.1\nexample.test. 60 A 9.9.9.9\nexample.test. 60 AAAA ::1"
        assert self.search(mixed) == [[("example.test", ("9.9.9.9",))]]

    @pytest.mark.row(30)
    def test_localhost(self):
        zone = "example.test. 60 MX 10 localhost.\nlocalhost. 60 A 127.0.0.1"
        assert self.trouble(zone).enhanced == "5.4.6"

    @pytest.mark.row(30)
    def test_very_many_hosts_and_addresses(self):
        """Row 30: only so many are tried, chosen by chance among equals."""
        lines = [f"example.test. 60 MX {number // 50} mx{number:03}.test." for number in range(500)]
        lines += [
            f"mx{number:03}.test. 60 A 9.9.{last}.{number % 250}"
            for number in range(500)
            for last in range(9)
        ]
        groups = self.search("\n".join(lines))
        assert sum(map(len, groups)) == HOSTS
        assert {len(addresses) for group in groups for _name, addresses in group} == {ADDRESSES}

    ZONE = """
    example.test. 60 MX 10 first.test.
    example.test. 60 MX 20 {us}.
    example.test. 60 MX 30 last.test.
    first.test. 60 A 9.9.9.1
    client.test. 60 A 9.9.9.2
    alias.test. 60 A 9.9.9.2
    last.test. 60 A 9.9.9.3
    """

    @pytest.mark.row(30)
    def test_as_one_of_several_hosts_only_better_ones_are_tried(self):
        """RFC 5321 5.1: ourselves by name, and by an address at which we listen."""
        assert self.search(self.ZONE.format(us="client.test")) == [[("first.test", ("9.9.9.1",))]]
        own = OwnHost("client.test", [("9.9.9.2", 25)])
        assert self.search(self.ZONE.format(us="alias.test"), own=own) == [[("first.test", ("9.9.9.1",))]]
        assert len(self.search(self.ZONE.format(us="alias.test"), own=own, port=26)) == 3

    @pytest.mark.row(30)
    def test_mail_that_would_come_back(self):
        own = OwnHost("client.test", [("9.9.9.1", 25)])
        for zone in ("example.test. 60 MX 10 client.test.", "example.test. 60 A 9.9.9.1"):
            reply = self.trouble(zone, own=own)
            assert (reply.code, reply.enhanced) == (554, "5.4.6")
        own = OwnHost("client.test", [("127.0.1.1", 25)])
        zone = "example.test. 60 A 127.0.1.1"
        for allow_private in (True, False):
            assert self.trouble(zone, own=own, allow_private=allow_private).enhanced == "5.4.6"


@pytest.mark.row(30)
def test_public_addresses():
    for address in ("9.9.9.9", "2620:fe::9", "::ffff:9.9.9.9", "64:ff9b::909:909"):
        assert is_public(address), address
    for address in (
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "224.0.0.1", "255.255.255.255", "100.64.0.1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1",
        "2002:a00:1::1", "192.0.2.1", "x", "",
    ):  # fmt: skip
        assert not is_public(address), address


def test_ourselves():
    assert is_of_this_machine("127.0.0.1")
    assert not is_of_this_machine("9.9.9.9")
    assert not is_of_this_machine("nonsense")
    everywhere = OwnHost("client.test", [("", 25), ("127.0.1.1", 2525)], lambda address: address == "9.9.9.1")
    assert everywhere.is_at("9.9.9.1", 25)
    assert not everywhere.is_at("9.9.9.2", 25)
    assert not everywhere.is_at("9.9.9.1", 2525)
    assert everywhere.is_at("127.0.1.1", 2525)
