"""Which servers are asked, and what is remembered."""

from mailsys.interfaces import Answer
from mailsys.net.dns.cache import Cache
from mailsys.net.dns.servers import Servers, read_resolv_conf


def answer(*records):
    return Answer(records, False, 60.0)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_resolv_conf_is_read_tolerantly():
    text = "# x\nsearch example.org\nnameserver 192.0.2.53\nnameserver\tfe80::1%eth0 \nnameserver nonsense\n"
    assert read_resolv_conf(text) == (("192.0.2.53", 53), ("fe80::1%eth0", 53))
    assert read_resolv_conf("") == ()


def test_the_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "resolv.conf"
    servers = Servers((), Clock(), str(path))
    assert servers.in_order() == [("127.0.0.1", 53)]
    path.write_text("nameserver 192.0.2.1\n")
    assert servers.in_order() == [("192.0.2.1", 53)]
    path.write_text("nameserver 192.0.2.1\nnameserver 192.0.2.2\n")
    assert servers.in_order() == [("192.0.2.1", 53), ("192.0.2.2", 53)]
    path.unlink()
    assert len(servers.in_order()) == 2  # while it is being replaced, what it said last


def test_configured_servers_need_no_file(tmp_path):
    assert Servers([("192.0.2.7", 5353)], Clock(), str(tmp_path / "none")).in_order() == [("192.0.2.7", 5353)]


def test_a_server_that_did_not_reply_is_asked_last_for_a_while():
    clock = Clock()
    servers = Servers([("192.0.2.1", 53), ("192.0.2.2", 53)], clock)
    servers.did_not_reply(("192.0.2.1", 53))
    assert servers.in_order()[0] == ("192.0.2.2", 53)
    clock.now = 31
    assert servers.in_order()[0] == ("192.0.2.1", 53)


def test_the_cache_forgets_in_time_and_what_was_not_used():
    clock = Clock()
    cache = Cache(clock, entries=2)
    cache.put("a", answer("1"), 10)
    cache.put("b", answer("2"), 100)
    assert cache.get("a") == answer("1")
    cache.put("c", answer("3"), 100)
    assert cache.get("b") is None
    assert cache.get("a") is not None
    clock.now = 10
    assert cache.get("a") is None
    assert cache.get("c") is not None


def test_the_cache_is_bounded_in_octets():
    cache = Cache(Clock(), octets=10_000)
    for number in range(100):
        cache.put(number, answer(b"x" * 1000), 100)
    assert sum(cache.get(number) is not None for number in range(100)) < 10
    cache.put("large", answer(b"x" * 20_000), 100)
    assert cache.get("large") is None
