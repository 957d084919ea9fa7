"""Which certificate is served, and who may come back with a ticket: over memory, without sockets."""

import ssl

import pytest
from authority import Authority
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL
from twisted.internet.task import Clock

from mailsys.net.binding import channel_binding
from mailsys.net.tls import TICKET_KEY_SECONDS, HostTLS, ListenerTLS
from mailsys.tls.certificate import read_certificate, read_certificates
from mailsys.tls.files import CertificateFiles

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificates(authority):
    """One for mail.example.org, and one for *.example.net."""
    return [
        read_certificate(CertificateFiles(*authority.issue(name, name.replace("any", "*"))))
        for name in ("mail.example.org", "any.example.net")
    ]


@pytest.fixture
def renewed(authority):
    """The first, issued again."""
    return read_certificate(CertificateFiles(*authority.issue("renewed", "mail.example.org")))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def host(certificates):
    return HostTLS(certificates)


@pytest.fixture
def listener(host, clock):
    return ListenerTLS(host, clock)


@pytest.fixture(params=VERSIONS, ids=["1.2", "1.3"])
def trust(authority, request):
    """A client's context."""
    context = ssl.create_default_context(cafile=str(authority.trusted))
    context.maximum_version = request.param
    return context


class Meeting:
    """A client and a listener that have shaken hands; ``flights`` are what the server sent, in octets."""

    def __init__(self, listener, trust, name="mail.example.org", session=None):
        self._to_client, self._from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = trust.wrap_bio(
            self._to_client, self._from_client, server_hostname=name, session=session
        )
        self.server = listener.serverConnectionForTLS(None)
        self.server.set_accept_state()
        self.flights = []
        while not self._is_done():
            self._carry()

    def _is_done(self):
        try:
            self.client.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return not self._from_client.pending

    def _carry(self):
        self.server.bio_write(self._from_client.read())
        try:
            self.server.do_handshake()
        except SSL.WantReadError:
            pass
        self.flights.append(self._pass_on())

    def _pass_on(self):
        try:
            sent = self.server.bio_read(65536)
        except SSL.WantReadError:
            return 0
        self._to_client.write(sent)
        return len(sent)

    def session(self):
        """The client's session, with the ticket that it has got."""
        self.server.send(b"220 hello\r\n")
        self._pass_on()
        assert self.client.read(100) == b"220 hello\r\n"
        assert self.client.session.has_ticket
        return self.client.session

    @property
    def served(self):
        return x509.load_der_x509_certificate(self.client.getpeercert(binary_form=True))


def test_the_certificate_is_that_of_the_name(listener, certificates, trust):
    first, second = certificates
    assert Meeting(listener, trust).served == first.own
    assert Meeting(listener, trust, "pop.example.net").served == second.own


def test_a_login_is_bound_to_the_certificate_that_was_served(listener, certificates, trust):
    """RFC 5929 4.1: the client hashes what it has got, whichever name it asked for."""
    for name, certificate in zip(("mail.example.org", "pop.example.net"), certificates, strict=True):
        meeting = Meeting(listener, trust, name)
        assert channel_binding(meeting.server, "tls-server-end-point") == certificate.own.fingerprint(
            SHA256()
        )
    resumed = Meeting(listener, trust, name, session=meeting.session())
    assert resumed.client.session_reused
    assert channel_binding(resumed.server, "tls-server-end-point") == certificate.own.fingerprint(SHA256())


def test_who_asks_for_no_name_or_another_gets_the_first(listener, certificates, trust):
    trust.check_hostname = False
    assert Meeting(listener, trust, None).served == certificates[0].own
    assert Meeting(listener, trust, "elsewhere.example").served == certificates[0].own


def test_a_ticket_is_good_where_it_comes_from(listener, trust):
    session = Meeting(listener, trust).session()
    assert Meeting(listener, trust, session=session).client.session_reused


def test_a_ticket_is_worth_nothing_at_another_listener(listener, host, clock, trust):
    session = Meeting(listener, trust).session()
    again = Meeting(ListenerTLS(host, clock), trust, session=session)
    assert not again.client.session_reused
    assert again.client.version() is not None


def test_a_ticket_outlives_a_reading_of_the_same_certificates(listener, host, certificates, trust):
    """As SIGHUP does it."""
    session = Meeting(listener, trust).session()
    host.renew(read_certificates([certificate.files for certificate in certificates]))
    assert Meeting(listener, trust, session=session).client.session_reused


def test_a_ticket_ends_with_the_certificate(listener, host, certificates, renewed, trust):
    """Otherwise the client would bind its login to one that we have no more."""
    session = Meeting(listener, trust).session()
    host.replace(certificates[0], renewed)
    again = Meeting(listener, trust, session=session)
    assert not again.client.session_reused
    assert again.served == renewed.own
    assert channel_binding(again.server, "tls-server-end-point") == renewed.own.fingerprint(SHA256())
    assert Meeting(listener, trust, "pop.example.net").served == certificates[1].own


def test_a_ticket_ends_with_the_day(listener, clock, trust):
    session = Meeting(listener, trust).session()
    clock.advance(TICKET_KEY_SECONDS - 1)
    assert Meeting(listener, trust, session=session).client.session_reused
    clock.advance(1)
    later = Meeting(listener, trust, session=session)
    assert not later.client.session_reused
    assert Meeting(listener, trust, session=later.session()).client.session_reused


def test_a_certificate_that_is_gone_is_not_replaced(host, certificates, renewed):
    host.renew(certificates[1:])
    host.replace(certificates[0], renewed)
    assert host.table.certificates == (certificates[1],)


def test_no_ticket_comes_inside_the_handshake(listener, authority):
    """With TLS 1.3 it could; some clients hang up then.  Ours comes when the client has finished."""
    trust = ssl.create_default_context(cafile=str(authority.trusted))
    meeting = Meeting(listener, trust)
    assert meeting.client.version() == "TLSv1.3"
    handshake, tickets = meeting.flights
    meeting.session()
    resumed = Meeting(listener, trust, session=meeting.client.session)
    assert resumed.flights[0] < handshake  # no certificate, and still no ticket
    assert tickets > 400  # two of them


def test_what_is_agreed_on(listener, authority):
    """Forward secrecy, authenticated encryption, the better group; the server's order counts."""
    trust = ssl.create_default_context(cafile=str(authority.trusted))
    assert Meeting(listener, trust).server.get_protocol_version_name() == "TLSv1.3"
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    meeting = Meeting(listener, trust)
    assert meeting.client.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert meeting.server.get_group_name().lower() == "x25519"


@pytest.mark.skipif(SSL.OPENSSL_VERSION_NUMBER < 0x30500000, reason="OpenSSL before 3.5 has no ML-KEM")
def test_a_key_exchange_that_a_quantum_computer_does_not_break(listener):
    """With a client of today, which offers it first."""
    ends = [SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None), listener.serverConnectionForTLS(None)]
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    for turn in range(8):
        try:
            ends[turn % 2].do_handshake()
        except SSL.WantReadError:
            pass
        try:
            ends[1 - turn % 2].bio_write(ends[turn % 2].bio_read(65536))
        except SSL.WantReadError:
            pass
    assert ends[1].get_group_name() == "X25519MLKEM768"


@pytest.mark.parametrize(
    "suites", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256", "DHE", "aNULL"]
)
def test_what_is_not_agreed_on(listener, authority, suites):
    trust = ssl.create_default_context(cafile=str(authority.trusted))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers(f"{suites}:@SECLEVEL=0")
    with pytest.raises(SSL.Error, match="no shared cipher"):
        Meeting(listener, trust)
