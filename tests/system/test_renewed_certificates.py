"""Certificates are swapped while a real host serves: nobody is refused, and no signal is needed."""

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from authority import Authority
from cryptography import x509
from exchange import SECONDS, needs, run

SWAPS = 5
NAMES = ("mail.system.test", "mail.other.test")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def running(own_host, authority):
    """A host with two certificates of the authority, behind links as certbot has them."""
    for name in NAMES:
        link(authority, name, authority.issue(f"{name}.0", name))
    text = own_host.config.read_text()
    text = text.replace('certificate = "tls/cert.pem"', f'certificate = "{live(authority, NAMES[0])}.pem"')
    text = text.replace('key = "tls/key.pem"', f'key = "{live(authority, NAMES[0])}.key"')
    other = live(authority, NAMES[1])
    text += f'\n[[tls.certificates]]\ncertificate = "{other}.pem"\nkey = "{other}.key"\n'
    own_host.config.write_text(text)
    own_host.start()
    own_host.wait_until_ready()
    return own_host


def live(authority, name):
    return authority.folder / f"live-{name}"


def link(authority, name, paths):
    """Point the links to other files, one after the other."""
    for suffix, path in zip(("pem", "key"), paths, strict=True):
        new = authority.folder / f"new.{suffix}"
        new.symlink_to(path)
        new.rename(f"{live(authority, name)}.{suffix}")


def served(host, authority, name):
    """Connect as a client that asks for a name and believes the authority; returns the serial number."""
    where = host.organisation
    trust = ssl.create_default_context(cafile=str(authority.trusted))
    with (
        socket.create_connection((where.address, where.port("pop3s")), timeout=SECONDS) as plain,
        trust.wrap_socket(plain, server_hostname=name) as secure,
    ):
        assert secure.recv(100).startswith(b"+OK")
        return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True)).serial_number


def serial(path):
    return x509.load_pem_x509_certificates(Path(path).read_bytes())[0].serial_number


class Load(threading.Thread):
    """Clients who come one after the other, each with a whole session."""

    def __init__(self, visit):
        super().__init__(daemon=True)
        self._visit = visit
        self._over = threading.Event()
        self.visits = 0
        self.failure = None

    def run(self):
        try:
            while not self._over.is_set():
                self._visit()
                self.visits += 1
        except Exception as failure:
            self.failure = failure

    def finish(self):
        self._over.set()
        self.join(SECONDS)
        assert self.failure is None, self.failure
        assert self.visits


def test_swapped_under_load(running, authority):
    """Again and again within one look and the next: each client is served, and the last one is used."""
    loads = [Load(lambda name=name: served(running, authority, name)) for name in NAMES]
    for load in loads:
        load.start()
    for number in range(1, SWAPS + 1):
        paths = authority.issue(f"{NAMES[0]}.{number}", NAMES[0])
        link(authority, NAMES[0], paths)
        time.sleep(0.3)
    until(lambda: served(running, authority, NAMES[0]) == serial(paths[0]), running)
    for load in loads:
        load.finish()
    assert served(running, authority, NAMES[1]) == serial(authority.folder / f"{NAMES[1]}.0.pem")
    log = running.log.read_text()
    assert "[mailsys#error]" not in log
    assert f"Renewed: certificate {live(authority, NAMES[0])}.pem: for {NAMES[0]}; by Test Authority" in log


def until(is_so, host, seconds=30):
    deadline = time.monotonic() + seconds
    while not is_so():
        host.check_alive()
        assert time.monotonic() < deadline, host.log_tail()
        time.sleep(0.2)


@needs("openssl", "swaks")
def test_by_name_for_programs(running, authority):
    where = running.organisation
    for name in NAMES:
        for service in ("smtp", "pop3"):
            run(
                "openssl", "s_client", "-connect", f"{where.address}:{where.port(service)}",
                "-starttls", service, "-servername", name, "-verify_hostname", name,
                "-CAfile", authority.trusted, "-verify_return_error", "-brief",
            )  # fmt: skip
        run(
            "swaks", "--server", where.address, "--port", where.port("smtp"), "--quit-after", "TLS", "--tls",
            "--tls-verify", "--tls-ca-path", authority.trusted, "--tls-sni", name,
            "--to", where.people[0].address,
        )  # fmt: skip
