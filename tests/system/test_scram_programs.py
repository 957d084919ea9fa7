"""SCRAM with programs and libraries that no one here wrote, over real TLS (row 22 from its good side)."""

import base64
import hashlib
import socket
import ssl
import subprocess
import time

import pytest
import scramp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from exchange import SECONDS, needs, run, trusting
from OpenSSL import SSL

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Lines:
    """A connection with TLS, from the first octet, to POP3."""

    def __init__(self, stream):
        self._stream = stream
        self._heard = b""
        self.line()

    def line(self):
        while b"\r\n" not in self._heard:
            self._heard += self._stream.recv(4096)
        line, _, self._heard = self._heard.partition(b"\r\n")
        return line.decode()

    def ask(self, line):
        self._stream.sendall(line.encode() + b"\r\n")
        return self.line()


def connect(host):
    where = host.organisation
    return socket.create_connection((where.address, where.port("pop3s")), SECONDS)


def log_in(lines, mechanism, client_first, answer):
    """One exchange; ``answer`` makes the client's last message of the server's first."""
    first = lines.ask(f"AUTH {mechanism} {base64.b64encode(client_first.encode()).decode()}")
    assert first.startswith("+ "), first
    final = lines.ask(base64.b64encode(answer(base64.b64decode(first[2:]).decode()).encode()).decode())
    return lines.ask("") if final.startswith("+ ") else final


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["TLS 1.2", "TLS 1.3"])
@pytest.mark.parametrize("is_bound", [False, True], ids=["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
def test_scramp(host, someone, version, is_bound):
    """The client of scramp, bound to the certificate that the client saw."""
    context = trusting(host)
    context.minimum_version = context.maximum_version = version
    with (
        connect(host) as plain,
        context.wrap_socket(plain, server_hostname=host.organisation.hostname) as tls,
    ):
        mechanism = "SCRAM-SHA-256-PLUS" if is_bound else "SCRAM-SHA-256"
        digest = hashlib.sha256(tls.getpeercert(binary_form=True)).digest()
        binding = ("tls-server-end-point", digest) if is_bound else None
        client = scramp.ScramClient([mechanism], someone.address, someone.password, channel_binding=binding)

        def answer(first):
            client.set_server_first(first)
            return client.get_client_final()

        assert log_in(Lines(tls), mechanism, client.get_client_first(), answer).startswith("+OK")


class Gsasl:
    """GNU SASL as a client that speaks through a pipe; ``binding`` is what it believes of the connection."""

    def __init__(self, someone, binding):
        self._process = subprocess.Popen(
            [
                "gsasl", "--client", "--quiet", "-m", "SCRAM-SHA-256-PLUS",
                "-a", someone.address, "-p", someone.password,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stdout.readline() == "SCRAM-SHA-256-PLUS\n"
        self.tell(base64.b64encode(binding).decode())

    def tell(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def message(self):
        """The next one, in base64, behind what it asked."""
        return self._process.stdout.readline().rpartition(":")[2].strip()

    def end(self):
        self._process.kill()
        self._process.communicate()


@needs("gsasl")
@pytest.mark.row(22)
@pytest.mark.parametrize("is_right", [True, False], ids=["of this connection", "of another"])
def test_gsasl_bound_by_the_exporter(host, someone, is_right):
    """Row 22: RFC 9266 in TLS 1.3; what is bound to another connection is refused."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(str(host.certificate))
    with connect(host) as plain:
        plain.setblocking(True)
        tls = SSL.Connection(context, plain)
        tls.set_tlsext_host_name(host.organisation.hostname.encode())
        tls.set_connect_state()
        tls.do_handshake()
        assert tls.get_protocol_version_name() == "TLSv1.3"
        binding = tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        client, lines = Gsasl(someone, binding if is_right else bytes(32)), Lines(tls)
        try:
            reply = lines.ask(f"AUTH SCRAM-SHA-256-PLUS {client.message()}")
            client.tell(reply.removeprefix("+ "))
            heard = lines.ask(client.message())
        finally:
            client.end()
        if is_right:
            assert heard.startswith("+ ")
            assert lines.ask("").startswith("+OK")
        else:
            assert heard.startswith("-ERR [AUTH]")


@needs("msmtp")
@pytest.mark.parametrize("way", ["scram-sha-256", "plain", "login", "on"])
def test_msmtp(host, someone, tmp_path, way):
    settings = tmp_path / "msmtprc"
    settings.write_text(
        f"account default\nhost {host.organisation.address}\nport {host.organisation.port('submission')}\n"
        f"user {someone.address}\npassword {someone.password}\nauth {way}\nfrom {someone.address}\n"
        f"tls on\ntls_starttls on\ntls_trust_file {host.certificate}\n"
    )
    settings.chmod(0o600)
    letter = tmp_path / "letter"
    letter.write_text(f"From: {someone.address}\nSubject: x\n\nhello\n")
    with letter.open() as opened:
        subprocess.run(
            ["/usr/bin/msmtp", "-C", str(settings), someone.address],
            stdin=opened, check=True, timeout=30, capture_output=True,
        )  # fmt: skip
    assert wait_for(lambda: "SUBMISSION from" in host.run("logins", someone.address))


@needs("mpop")
def test_mpop(host, someone, tmp_path):
    settings = tmp_path / "mpoprc"
    settings.write_text(
        f"account default\nhost {host.organisation.address}\nport {host.organisation.port('pop3')}\n"
        f"user {someone.address}\npassword {someone.password}\nauth scram-sha-256\nkeep on\n"
        f"tls on\ntls_starttls on\ntls_trust_file {host.certificate}\n"
        f"delivery mbox {tmp_path}/mbox\nuidls_file {tmp_path}/uidls\n"
    )
    settings.chmod(0o600)
    run("mpop", "-C", settings, "--quiet")
    assert wait_for(lambda: "with SCRAM-SHA-256" in host.run("logins", someone.address))


def wait_for(is_so):
    """Until it is so, or the time is over."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.3)
    return False


@pytest.mark.row(22)
def test_the_certificate_that_is_bound_is_the_one_that_is_shown(host):
    """What scramp hashes above is what the file holds."""
    [certificate] = x509.load_pem_x509_certificates(host.certificate.read_bytes())
    context = trusting(host)
    with (
        connect(host) as plain,
        context.wrap_socket(plain, server_hostname=host.organisation.hostname) as tls,
    ):
        assert tls.getpeercert(binary_form=True) == certificate.public_bytes(Encoding.DER)


@needs("swaks")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks(host, someone, mechanism):
    """It speaks no SCRAM, and takes what it knows of what is offered."""
    said = run(
        "swaks", "--server", host.organisation.address, "--port", host.organisation.port("submission"),
        "--tls",
        "--auth", mechanism, "--auth-user", someone.address, "--auth-password", someone.password,
        "--quit-after", "AUTH",
    )  # fmt: skip
    assert b"235 2.7.0 You are logged in" in said
    assert b"AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN" in said
