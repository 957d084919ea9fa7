"""Strangers who take their time, a thousand at once, and a host whose file descriptors run out.

Beside each attack a normal client is served all the time (``besieged_host``).
"""

import resource
import selectors
import socket
import ssl
import time

import pytest
from attacked_host import Bystander, Stranger, count
from besieged_host import (
    PATIENCE,
    READERS,
    Outsider,
    addresses,
    cpu_seconds,
    limit_files,
    make,
    proxied,
    room_for_sockets,
)
from exchange import SECONDS

from mailsys.lab.organisation import Person

TIMEOUT = b"421 4.4.2 You were silent for too long\r\n"
BEGIN = b"MAIL FROM:<>\r\nRCPT TO:<%b>\r\nDATA\r\n"


def hello_of_tls():
    """A real ClientHello, to be dribbled."""
    context = ssl.create_default_context()
    outgoing = ssl.MemoryBIO()
    secure = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="mail.system.test")
    with pytest.raises(ssl.SSLWantReadError):
        secure.do_handshake()
    return outgoing.read()


def read_until(client, words):
    """What a client hears up to the line with these words."""
    heard = b""
    while words not in heard or not heard.endswith(b"\r\n"):
        data = client.recv(4096)
        assert data, heard
        heard += data
    return heard


class Dribble:
    """One slow client: after its opening an octet now and then, for ever.  ``heard`` is what came back."""

    def __init__(self, client, octets):
        client.setblocking(False)
        self.socket = client
        self._octets = octets
        self.heard = b""
        self.is_over = False

    def send_one(self):
        if self.is_over or not self._octets:
            return
        try:
            self.socket.send(self._octets[:1])
            self._octets = self._octets[1:]
        except BlockingIOError:
            pass
        except OSError:
            self.end()

    def hear(self):
        try:
            data = self.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.heard += data
        if not data:
            self.end()

    def end(self):
        self.is_over = True
        self.socket.close()


def dribble_on(clients, seconds):
    """Each sends an octet every half a second, until the host has ended them all."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        deadline, next_round = time.monotonic() + seconds, 0.0
        while selector.get_map():
            assert time.monotonic() < deadline, f"{len(selector.get_map())} are still there"
            if time.monotonic() >= next_round:
                next_round = time.monotonic() + 0.5
                for key in list(selector.get_map().values()):
                    key.data.send_one()
                    if key.data.is_over:
                        selector.unregister(key.fileobj)
            for key, _ in selector.select(0.1):
                key.data.hear()
                if key.data.is_over:
                    selector.unregister(key.fileobj)


@pytest.mark.row(24)
def test_a_thousand_slow_clients_at_once(besieged):
    """Row 24: in a command, in DATA, in a handshake, before a login: all are left in the end."""
    room_for_sockets(2000)
    origins = iter(addresses("2001:db8:2400::/38", 1000))
    reader = READERS[1].address.encode()
    ways = {
        "command": lambda origin: (proxied(besieged, origin, "smtp"), b"N" * 1000),
        "nothing": lambda origin: (proxied(besieged, origin, "smtp"), b""),
        "login": lambda origin: (proxied(besieged, origin, "pop3"), b"USER " + b"x" * 1000),
        "handshake": lambda origin: (proxied(besieged, origin, "pop3s"), hello),
    }
    hello, clients = hello_of_tls(), {name: [] for name in [*ways, "DATA"]}
    for name, way in ways.items():
        clients[name] = [Dribble(*way(next(origins))) for _ in range(200)]
    waiting = [proxied(besieged, next(origins), "smtp") for _ in range(200)]
    for answer, command in ((b"220 ", b"HELO x\r\n"), (b"250 ", BEGIN % reader)):
        for client in waiting:
            assert client.recv(200).startswith(answer)
            client.sendall(command)
    for client in waiting:
        assert read_until(client, b"354 ")
    clients["DATA"] = [Dribble(client, b"Subject: " + b"x" * 1000) for client in waiting]
    dribble_on([client for group in clients.values() for client in group], 8 * PATIENCE)
    for name in ("command", "nothing", "DATA"):
        assert {client.heard[-len(TIMEOUT) :] for client in clients[name]} == {TIMEOUT}, name
    assert {client.heard[:4] for client in clients["login"]} == {b"+OK "}
    assert not any(client.heard for client in clients["handshake"])
    with Outsider(besieged, "192.0.2.24") as outsider:
        assert outsider.ask("NOOP").startswith("250 ")
    assert count(besieged, READERS[1]) == 0


@pytest.mark.row(24)
def test_clients_that_never_read(besieged):
    """Row 24: what waits for each of them is bounded, and after a while they are left."""
    large = b"From: stranger@example.org\r\n\r\n" + (b"x" * 998 + b"\r\n") * 6000
    with Stranger(besieged) as stranger:
        stranger.ask("HELO x")
        stranger.ask("MAIL FROM:<>")
        for reader in READERS[2:]:
            assert stranger.ask(f"RCPT TO:<{reader.address}>").startswith("250 ")
        assert stranger.ask("DATA").startswith("354 ")
        stranger.say(large + b".\r\n")
        assert stranger.reply().startswith("250 ")
    readers = []
    for reader in READERS[2:]:
        client = Stranger.__new__(Stranger)
        client._heard, client.socket = b"", socket.socket()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(SECONDS)
        client.socket.connect((besieged.organisation.address, besieged.organisation.port("pop3")))
        client.line()
        client.ask(f"USER {reader.address}")
        assert client.ask(f"PASS {reader.password}").startswith("+OK")
        number = client.ask("STAT").split()[1]
        client.say(f"RETR {number}\r\n".encode() * 50)
        readers.append(client)
    time.sleep(PATIENCE + 2)
    for client in readers:
        with client:
            octets = 0
            try:
                while piece := client.socket.recv(1 << 20):
                    octets += len(piece)
            except ConnectionResetError:
                pass
            assert octets < 6_000_000
    assert count(besieged, READERS[2]) >= 1


# File descriptors


@pytest.fixture
def poor(tmp_path):
    """A host that may have 256 files open, and somebody to write to; nothing runs yet."""
    host = make(tmp_path / "poor", limits="[limits]\n")
    limit_files(host, 256)
    try:
        yield host
    finally:
        host.stop()


@pytest.mark.row(25)
def test_file_descriptors_are_kept_for_mail_under_way(poor):
    """Row 25: connections beyond what the files allow are told to come later; mail gets its file."""
    room_for_sockets(1000)
    poor.start()
    poor.wait_until_ready(("smtp", "pop3", "lmtp"))
    assert (
        "limits.connections is 10000, but this process may have only 256 files open" in poor.log.read_text()
    )
    someone = poor.organisation.people[0]
    with Stranger(poor) as sender:
        sender.begin(someone)
        sender.say(b"From: stranger@example.org\r\n\r\n")
        crowd, told = [], []
        for _ in range(300):
            client = socket.create_connection(
                (poor.organisation.address, poor.organisation.port("smtp")), timeout=SECONDS
            )
            crowd.append(client)
            told.append(client.recv(200)[:9])
        assert set(told) == {b"220 mail.", b"421 4.3.2"}
        assert 100 <= told.count(b"220 mail.") <= 128
        before = cpu_seconds(poor.pid)
        time.sleep(1)
        assert cpu_seconds(poor.pid) - before < 0.5
        sender.say((b"x" * 998 + b"\r\n") * 2000 + b".\r\n")
        assert sender.reply().startswith("250 ")
        for client in crowd:
            client.close()
    assert_recovers(poor, someone)


@pytest.mark.row(25)
def test_no_descriptor_at_all(poor):
    """Row 25: even when the system gives none, the reactor does not spin, and it recovers."""
    poor.start()
    poor.wait_until_ready(("smtp", "pop3", "lmtp"))
    soft, hard = resource.prlimit(poor.pid, resource.RLIMIT_NOFILE)
    with Stranger(poor) as client:
        resource.prlimit(poor.pid, resource.RLIMIT_NOFILE, (20, hard))
        crowd = []
        for _ in range(50):
            crowd.append(socket.socket())
            crowd[-1].setblocking(False)
            crowd[-1].connect_ex((poor.organisation.address, poor.organisation.port("smtp")))
        time.sleep(0.5)
        before = cpu_seconds(poor.pid)
        time.sleep(1)
        assert cpu_seconds(poor.pid) - before < 0.5
        assert client.ask("NOOP").startswith("250 ")
        for one in crowd:
            one.close()
        resource.prlimit(poor.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert_recovers(poor, poor.organisation.people[0])


def assert_recovers(host, someone):
    """A normal client is served as always, and soon."""
    deadline = time.monotonic() + 10
    while not host.is_ready(("smtp", "pop3")):
        assert time.monotonic() < deadline
    bystander = Bystander(host, Person(someone.address, someone.password))
    bystander._ask()
    assert bystander.longest < 1
    assert count(host, someone) >= 0
