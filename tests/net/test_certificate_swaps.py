"""Twenty renewals under load, over real sockets: no handshake fails, and no connection is dropped."""

import shutil
import ssl
import tempfile
from datetime import UTC, datetime

from authority import Authority
from cryptography import x509
from net_house import SECONDS, SocketTestCase, connected, hear_line, until
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from mailsys.interfaces import ConnectionEnded
from mailsys.net.certificate_watch import CertificateWatch
from mailsys.net.tls import HostTLS, ListenerTLS
from mailsys.threads import Workers
from mailsys.tls.certificate import read_certificate
from mailsys.tls.files import CertificateFiles

NAME = "mail.test"
RENEWALS = 20


async def answer(connection):
    """Each line is answered, until the client leaves."""
    connection.send(b"220 Hello\r\n")
    try:
        while True:
            await connection.receive(SECONDS)
            connection.send(b"250 OK\r\n")
    except ConnectionEnded:
        return


class Swaps(SocketTestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.authority = Authority(folder)
        self.files = CertificateFiles(*self.authority.issue("our", NAME))
        self.host = HostTLS([read_certificate(self.files)])
        self.workers = Workers(reactor, 2, "files")
        self.workers.start()
        self.addCleanup(self.workers.stop)
        self.watch = CertificateWatch(
            self.host, self.workers, reactor, lambda: datetime.now(UTC), NAME, look_seconds=0.02
        )
        self.is_over = False

    def visit(self, factory):
        """Connect again and again, each time anew; returns how often, and which certificates were seen."""
        seen, visits = set(), 0
        while not self.is_over:
            trust = ssl.create_default_context(cafile=str(self.authority.trusted))
            with connected(factory) as plain, trust.wrap_socket(plain, server_hostname=NAME) as secure:
                assert hear_line(secure) == b"220 Hello\r\n"
                own = secure.getpeercert(binary_form=True)
                seen.add(x509.load_der_x509_certificate(own).serial_number)
                visits += 1
        return visits, seen

    def stay(self, factory):
        """One connection all the time."""
        trust = ssl.create_default_context(cafile=str(self.authority.trusted))
        with connected(factory) as plain, trust.wrap_socket(plain, server_hostname=NAME) as secure:
            assert hear_line(secure) == b"220 Hello\r\n"
            lines = 0
            while not self.is_over:
                secure.sendall(b"NOOP\r\n")
                assert hear_line(secure) == b"250 OK\r\n"
                lines += 1
            return lines

    async def test_twenty_renewals(self):
        factory = await self.listen(answer, tls=ListenerTLS(self.host, reactor), implicit_tls=True)
        self.watch.start()
        clients = [deferToThread(act, factory) for act in (self.visit, self.visit, self.stay)]
        used = set()
        for _ in range(RENEWALS):
            before = self.host.table
            await deferToThread(self.authority.issue, "our", NAME)
            await until(lambda before=before: self.host.table is not before)
            used.add(self.host.table.certificates[0].own.serial_number)
        self.is_over = True
        (first, seen), (second, also_seen), lines = [await client for client in clients]
        await self.watch.stop()
        assert len(used) == RENEWALS
        assert min(first, second, lines) > 0
        assert len(seen | also_seen) > 1
        await until(lambda: not factory.connections)
