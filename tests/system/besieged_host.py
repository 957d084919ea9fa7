"""A host with little patience, and strangers from anywhere: a proxy's header says where they come from."""

import ipaddress
import os
import re
import resource
import socket

import pytest
from attacked_host import Bystander, Stranger
from exchange import SECONDS
from real_host import new_host, put_probe

from mailsys.accounts.sha_crypt import sha_crypt
from mailsys.lab.organisation import Person

PATIENCE = 3  # seconds for a command, a handshake, a pause within a message, reading a reply
PER_ADDRESS = 6
NEW_PER_ADDRESS = 100
UNKNOWN = 5
LIMITS = f"""[limits]
connections_per_address = {PER_ADDRESS}
connections_per_network = 400
user_connections_per_address = {PER_ADDRESS}
user_connections_per_network = 400
new_connections_per_address = {NEW_PER_ADDRESS}
unknown_recipients = {UNKNOWN}
error_pause = "0.01s"
command_seconds = {PATIENCE}
data_seconds = {PATIENCE}
handshake_seconds = {PATIENCE}
reply_seconds = {PATIENCE}
login_seconds = {PATIENCE}
"""
# Beside the listeners of every host: the same behind a proxy, and one whose proxy is not here.
LISTENERS = {
    "smtp": ("smtp", 26, "starttls", "127.0.0.0/8"),
    "smtp elsewhere": ("smtp", 27, "none", "192.0.2.0/24"),
    "pop3": ("pop3", 111, "starttls", "127.0.0.0/8"),
    "pop3s": ("pop3", 996, "implicit", "127.0.0.0/8"),
}
READERS = [Person(f"reader{number}@system.test", "a reader's password") for number in range(20)]


class Outsider(Stranger):
    """A stranger whom a proxy announces with an address from the documentation's networks."""

    def __init__(self, host, address, service="smtp", first=b""):
        self._log = host.log
        self._log_begin = host.log.stat().st_size
        self._told = re.compile(rf" ended by us: (.*); client [^\n]*\[{re.escape(address)}\]$", re.MULTILINE)
        self._heard = b""
        self.socket = proxied(host, address, service, first)
        self.greeting = self.line()

    def was_told(self, words):
        """The log has a line about this, at least a moment later."""
        return self._log_has(lambda log: words in log)


def proxied(host, address, service, first=b""):
    """A socket behind a PROXY header; ``first`` is what the client sends in the same segment."""
    family = "TCP6" if ":" in address else "TCP4"
    ours = "2001:db8::25" if family == "TCP6" else "198.51.100.25"
    where = host.organisation.address, host.organisation.port_base + LISTENERS[service][1]
    client = socket.create_connection(where, timeout=SECONDS)
    client.sendall(f"PROXY {family} {address} {ours} 40000 25\r\n".encode() + first)
    return client


def addresses(network, count):
    """So many different addresses; no two of IPv6 are of the same /48."""
    found = ipaddress.ip_network(network)
    step = 1 if found.version == 4 else 1 << 80
    return [str(found[number * step + 1]) for number in range(count)]


def make(folder, *listeners, limits=LIMITS, people=1):
    """A host that does not run yet, with a probe in it."""
    host = new_host(folder, people=people)
    text = host.config.read_text()
    assert text.count("\n[limits]\n") == 1
    text = text.replace("\n[limits]\n", f"\n{limits}")
    for name in listeners:
        service, port, tls, proxies = LISTENERS[name]
        endpoint = f"tcp:{host.organisation.port_base + port}:interface={host.organisation.address}"
        text += f'\n[[listen]]\nservice = "{service}"\nendpoint = "{endpoint}"\n'
        text += f'tls = "{tls}"\nproxy_from = ["{proxies}"]\n'
    host.config.write_text(text)
    # Where the strangers come from is made up, so nobody vouches for them.
    host.set("judge", 'judges = ["early_talker", "one_from", "hop_count"]')
    host.probe = put_probe(host)
    return host


def limit_files(host, files):
    """Let the host, once it is started, have so many files open."""
    limited = (
        f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}));"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    host.program = ("-c", limited, *host.program)


@pytest.fixture(scope="session")
def _besieged(tmp_path_factory):
    host = make(tmp_path_factory.mktemp("besieged") / "host", *LISTENERS)
    foreign = "$6$rounds=1000$salt$" + sha_crypt("6", READERS[0].password.encode(), b"salt", 1000)
    host.run("account", "import", "-", told="".join(f"{reader.address}:{foreign}\n" for reader in READERS))
    host.start()
    try:
        host.wait_until_ready(("smtp", "pop3", "lmtp"))
        yield host
    finally:
        host.stop()


@pytest.fixture
def besieged(_besieged):
    """The host; a normal client is served all the time, and the reactor never works long at a stretch."""
    bystander = Bystander(_besieged, _besieged.organisation.people[0])
    bystander.start()
    begin = _besieged.log.stat().st_size
    _besieged.probe.begin()
    yield _besieged
    bystander.finish()
    _besieged.probe.assert_no_stall()
    log = _besieged.log.read_bytes()[begin:].decode()
    assert "Traceback" not in log
    assert "Unhandled" not in log


def cpu_seconds(pid):
    """What a process has used of the CPU."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def room_for_sockets(count):
    """Skip a test where this process may not open so many."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"this system allows a process only {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
