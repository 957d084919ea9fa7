"""Sockets that were handed over: which listener each one is for."""

import os
import socket

import pytest

from mailsys.process import CannotBecome, InheritedSockets
from mailsys.process import inherited as module

PORT = 2525


class Handed:
    """A socket that somebody bound, as the kernel would describe it."""

    def __init__(self, family, address, *, only_v6=False):
        self.family = family
        self.closed = False
        self._address = address
        self._only_v6 = only_v6

    def getsockname(self):
        return self._address

    def getsockopt(self, _level, option):
        assert option == socket.IPV6_V6ONLY
        return self._only_v6

    def close(self):
        self.closed = True


ANY4 = Handed(socket.AF_INET, ("0.0.0.0", PORT))
ONE4 = Handed(socket.AF_INET, ("192.0.2.1", PORT))
BOTH = Handed(socket.AF_INET6, ("::", PORT, 0, 0))
ANY6 = Handed(socket.AF_INET6, ("::", PORT, 0, 0), only_v6=True)
ONE6 = Handed(socket.AF_INET6, ("2001:db8::1", PORT, 0, 0))
LOCAL = Handed(socket.AF_UNIX, "/run/mailsys/lmtp")


@pytest.mark.parametrize(
    ("handed", "wanted", "expected"),
    [
        ([ONE4, ANY4], ("tcp", "", PORT), ANY4),
        ([ANY4, ONE4], ("tcp", "192.0.2.1", PORT), ONE4),
        ([BOTH], ("tcp", "", PORT), BOTH),
        ([BOTH], ("tcp6", "", PORT), BOTH),
        ([BOTH, ANY4], ("tcp", "", PORT), ANY4),
        ([ANY6], ("tcp6", "", PORT), ANY6),
        ([ANY6], ("tcp", "", PORT), None),
        ([ONE6], ("tcp6", "2001:db8::1", PORT), ONE6),
        ([ANY4], ("tcp", "192.0.2.1", PORT), None),
        ([ANY4], ("tcp", "", 25), None),
        ([LOCAL], ("unix", "/run/mailsys/lmtp", 0), LOCAL),
        ([LOCAL], ("unix", "/run/other", 0), None),
    ],
)
def test_a_listener_gets_the_socket_of_its_address(handed, wanted, expected):
    assert InheritedSockets(list(handed)).take(*wanted) is expected


def test_a_socket_is_given_away_once():
    sockets = InheritedSockets([BOTH])
    assert sockets.take("tcp6", "", PORT) is BOTH
    assert sockets.take("tcp", "", PORT) is None


def test_what_nobody_takes_is_closed_and_named():
    left = [Handed(one.family, one.getsockname()) for one in (ANY4, ONE6, LOCAL)]
    assert InheritedSockets(left).close() == ["*:2525", "[2001:db8::1]:2525", "/run/mailsys/lmtp"]
    assert all(one.closed for one in left)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "smtp"},
        {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "1"},
    ],
)
def test_nothing_is_meant_for_us(environment):
    assert InheritedSockets.from_environment(environment).close() == []


@pytest.mark.parametrize("count", ["many", "-1", "100000", "9" * 5000])
def test_a_count_that_cannot_be(count):
    with pytest.raises(CannotBecome, match="is not a number of sockets"):
        InheritedSockets.from_environment({"LISTEN_FDS": count, "LISTEN_PID": str(os.getpid())})


@pytest.fixture
def from_descriptor(monkeypatch):
    """As if the first of the descriptors were this one."""

    def made(descriptor):
        monkeypatch.setattr(module, "FIRST", descriptor)
        return InheritedSockets.from_environment({"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})

    return made


def test_a_real_socket(from_descriptor):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken = from_descriptor(os.dup(server.fileno())).take("tcp", "127.0.0.1", port)
    assert taken.getsockname() == ("127.0.0.1", port)
    assert not taken.getblocking()
    assert not taken.get_inheritable()
    taken.close()


def test_a_file_is_no_socket(from_descriptor):
    descriptor = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(CannotBecome, match="is no socket"):
        from_descriptor(descriptor)
    os.close(descriptor)


def test_a_socket_must_listen(from_descriptor):
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        with pytest.raises(CannotBecome, match="does not listen for streams"):
            from_descriptor(os.dup(idle.fileno()))
