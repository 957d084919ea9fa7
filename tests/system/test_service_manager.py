"""Under a service manager: sockets that survive a restart, READY, RELOADING, STOPPING, the watchdog."""

import os
import signal
import socket
import threading
import time

import pytest
from exchange import assert_one, deliver, mailbox
from real_host import ADDRESS
from service_manager import SECONDS, ServiceManager


@pytest.fixture
def manager(own_host, tmp_path):
    manager = ServiceManager(own_host, tmp_path, watchdog_seconds=0.4)
    yield manager
    manager.close()


def hand_over_all(manager):
    where = manager.host.organisation
    for service in ("smtp", "pop3", "pop3s", "lmtp"):
        manager.listen(ADDRESS, where.port(service))


def test_it_says_how_it_is(manager, letter):
    """READY comes when ports serve; a reload and an end are told, and the dog is fed meanwhile."""
    host = manager.host
    manager.start()
    ready = manager.hear(["READY", "1"])
    assert ready == {"READY": "1", "MAINPID": str(manager.process.pid), "STATUS": "serving: 0 connections"}
    assert "EXTEND_TIMEOUT_USEC" in manager.said[0]
    deliver(host, host.organisation.people[0], letter)  # at once, without waiting for anything
    manager.hear(["WATCHDOG", "1"])
    os.kill(manager.process.pid, signal.SIGHUP)
    begun = time.monotonic_ns() // 1000
    reloading = manager.hear(["RELOADING", "1"])
    assert abs(int(reloading["MONOTONIC_USEC"]) - begun) < 10_000_000
    assert "READY" in manager.hear(["READY", "1"])
    with socket.create_connection((ADDRESS, host.organisation.port("smtp")), timeout=SECONDS):
        manager.hear(["STATUS", "serving: 1 connection"])
    assert manager.stop() == 0
    manager.hear(["STOPPING", "1"])


def test_a_reactor_that_hangs_does_not_feed_the_dog(manager):
    """Stopped by a signal it is as dead to its peers as one in an endless loop."""
    manager.start()
    manager.hear(["READY", "1"])
    os.kill(manager.process.pid, signal.SIGSTOP)
    try:
        assert manager.quiet_seconds(0.8) >= 0.8
    finally:
        os.kill(manager.process.pid, signal.SIGCONT)
    manager.hear(["WATCHDOG", "1"])


def test_sockets_are_served_where_they_were_opened(manager, letter):
    host = manager.host
    local = host.directory / "lmtp"
    with host.config.open("a") as file:
        file.write(f'[[listen]]\nservice = "lmtp"\nendpoint = "unix:{local}"\n')
    hand_over_all(manager)
    manager.listen_locally(local)
    manager.listen(ADDRESS, 0)  # which nobody serves
    mode = local.stat().st_mode
    for _restart in range(2):
        manager.start()
        manager.hear(["READY", "1"])
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SECONDS)
            client.connect(str(local))
            assert client.recv(100).startswith(b"220 ")
        assert manager.stop() == 0
        assert local.stat().st_mode == mode
    assert "was handed over, but no [[listen]] serves it" in host.log.read_text()


class Caller(threading.Thread):
    """Connects again and again, and counts who greets it and who does not."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self._address = address
        self.over = threading.Event()
        self.greeted = 0
        self.refused = []

    def run(self):
        while not self.over.wait(0.005):
            try:
                with socket.create_connection(self._address, timeout=SECONDS) as client:
                    greeting = client.recv(100)
            except OSError as error:
                self.refused.append(repr(error))
                continue
            if greeting[:3] in (b"220", b"421"):
                self.greeted += 1
            else:
                self.refused.append(repr(greeting))


def test_nobody_is_refused_during_a_restart(manager, letter):
    host = manager.host
    hand_over_all(manager)
    host.config.write_text(host.config.read_text().replace("[receive]", '[receive]\ngreeting_pause = "0s"'))
    callers = [Caller((ADDRESS, host.organisation.port("smtp"))) for _ in range(5)]
    manager.start()
    manager.hear(["READY", "1"])
    for caller in callers:
        caller.start()
    for _restart in range(2):
        assert manager.stop() == 0
        manager.start()
        manager.hear(["READY", "1"])
        time.sleep(0.2)
    for caller in callers:
        caller.over.set()
        caller.join(SECONDS)
    assert [refusal for caller in callers for refusal in caller.refused] == []
    assert all(caller.greeted > 10 for caller in callers)
    deliver(host, host.organisation.people[0], letter)
    assert_one(mailbox(host, host.organisation.people[0]), letter)


def test_what_is_no_listening_socket_is_told(manager):
    manager.sockets.append(socket.socket())
    manager.start()
    assert manager.process.wait(SECONDS) == 1
    assert "does not listen for streams" in manager.host.log.read_text()
