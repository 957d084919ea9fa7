"""What the service manager hears, over a real socket of its kind."""

import os
import socket

import pytest
from twisted.internet.task import Clock

from mailsys.process import Supervisor


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = f"@mailsys-test-{os.getpid()}" if request.param == "an abstract name" else str(tmp_path / "n")
        listening.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        listening.setblocking(False)
        yield listening


def name_of(manager):
    name = manager.getsockname()
    return name if isinstance(name, str) else f"@{name[1:].decode()}"


def heard(manager):
    """Everything that was said since the last time, one list of lines a datagram."""
    said = []
    try:
        while True:
            said.append(manager.recv(4096).decode().split("\n"))
    except BlockingIOError:
        return said


def supervisor(manager, clock, **more):
    environment = {"NOTIFY_SOCKET": name_of(manager), **more}
    made = Supervisor(clock, environment, lambda: f"up {clock.seconds():.0f}", lambda: 5_000_001)
    assert environment == {}  # nothing that we start is taken for the service
    return made


def test_from_start_to_end(manager):
    told = supervisor(manager, Clock())
    told.start()
    assert heard(manager) == [["EXTEND_TIMEOUT_USEC=120000000", "STATUS=up 0"]]
    told.ready()
    assert heard(manager) == [["READY=1", f"MAINPID={os.getpid()}", "STATUS=up 0"]]
    told.reloading()
    assert heard(manager) == [
        ["RELOADING=1", "MONOTONIC_USEC=5000", "STATUS=reading the configuration again"]
    ]
    told.ready()
    told.stopping()
    assert [lines[0] for lines in heard(manager)] == ["READY=1", "STOPPING=1"]
    told.close()


def test_a_long_start_and_a_long_stop_ask_for_time(manager):
    clock = Clock()
    told = supervisor(manager, clock)
    told.start()
    clock.advance(10)
    assert [lines[0] for lines in heard(manager)] == ["EXTEND_TIMEOUT_USEC=120000000"] * 2
    told.ready()
    heard(manager)
    clock.advance(10)
    assert heard(manager) == [["STATUS=up 20"]]
    told.stopping()
    heard(manager)
    clock.advance(10)
    assert heard(manager) == [["EXTEND_TIMEOUT_USEC=120000000", "STATUS=up 30"]]
    told.close()


def test_the_watchdog_is_fed_twice_in_its_time(manager):
    clock = Clock()
    told = supervisor(manager, clock, WATCHDOG_USEC="3000000", WATCHDOG_PID=str(os.getpid()))
    told.start()
    told.ready()
    heard(manager)
    clock.pump([1.5] * 4)
    assert [lines[0] for lines in heard(manager)] == ["WATCHDOG=1"] * 4
    told.close()
    clock.advance(10)
    assert heard(manager) == []


def test_a_watchdog_for_another_process_is_not_fed(manager):
    clock = Clock()
    told = supervisor(manager, clock, WATCHDOG_USEC="3000000", WATCHDOG_PID="1")
    told.start()
    told.ready()
    clock.advance(10)
    assert not any("WATCHDOG=1" in lines for lines in heard(manager))
    told.close()


def test_a_manager_that_does_not_read_hears_later_how_it_is(manager):
    """All that matters, and of what changed meanwhile only the last."""
    told = supervisor(manager, clock := Clock(), WATCHDOG_USEC="3000000")
    told.start()
    clock.pump([1.5] * 20)
    told.ready()
    clock.pump([1.5] * 2)
    assert all("READY=1" not in lines for lines in heard(manager))
    clock.advance(1.5)
    [lines] = heard(manager)
    assert {"READY=1", f"MAINPID={os.getpid()}", "WATCHDOG=1"} <= set(lines)
    clock.pump([1.5] * 20)
    told.reloading()
    told.ready()
    told.stopping()
    heard(manager)
    clock.advance(1.5)
    [lines] = heard(manager)
    assert "STOPPING=1" in lines
    assert not {"READY=1", "RELOADING=1"} & set(lines)
    assert len(lines) == len({line.partition("=")[0] for line in lines})
    told.close()


def test_a_status_stays_short(manager):
    told = Supervisor(Clock(), {"NOTIFY_SOCKET": name_of(manager)}, lambda: "x" * 10_000)
    told.start()
    told.ready()
    assert max(len(line) for lines in heard(manager) for line in lines) < 250
    told.close()


@pytest.mark.parametrize("name", ["", "/no/such/socket", "vsock:2:1234"])
def test_without_a_manager_nothing_happens(name):
    clock = Clock()
    told = Supervisor(clock, {"NOTIFY_SOCKET": name} if name else {}, lambda: "up")
    told.start()
    told.ready()
    told.stopping()
    told.close()
    assert clock.getDelayedCalls() == []
