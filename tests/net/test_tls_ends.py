"""What is left of a connection within TLS when it has ended: nothing that could answer or take room."""

import gc
import shutil
import tempfile
from weakref import WeakSet

from net_house import SECONDS, SocketTestCase, hear_line, make_certificate, until
from twisted.internet import reactor
from twisted.internet.task import deferLater

from mailsys.net.tls import ListenerTLS


class TLSEnds(SocketTestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.certificate, self.trust = make_certificate(folder)

    def talk_in_tls(self, peer):
        with self.trust.wrap_socket(peer, server_hostname="mail.test") as secure:
            secure.sendall(b"EHLO client\r\n")
            assert hear_line(secure) == b"250 OK\r\n"
            secure.unwrap()

    async def test_all_is_freed_at_once(self):
        """Without a search for garbage, which comes the later the more connections there are."""
        left = WeakSet()
        begin = ListenerTLS.serverConnectionForTLS

        def noting(listener, protocol):
            tls = begin(listener, protocol)
            left.update((tls, protocol))
            return tls

        self.patch(ListenerTLS, "serverConnectionForTLS", noting)

        async def talk(connection):
            left.add(connection)
            while True:
                await connection.receive(SECONDS)
                connection.send(b"250 OK\r\n")

        factory = await self.listen(talk, tls=self.certificate, implicit_tls=True)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for _ in range(3):
            await self.client(factory, self.talk_in_tls)
        await until(lambda: not factory.connections)
        await deferLater(reactor, 0)
        assert {type(one) for one in left} == set()

    async def test_nothing_can_be_bound_to_one_that_has_ended(self):
        """A command that came before the end is still answered after it."""
        bound = []

        async def talk(connection):
            await connection.receive(SECONDS)
            bound.append(connection.channel_binding("tls-server-end-point"))
            connection.send(b"250 OK\r\n")
            await until(lambda: connection not in factory.connections)
            bound.append(connection.channel_binding("tls-server-end-point"))

        factory = await self.listen(talk, tls=self.certificate, implicit_tls=True)
        await self.client(factory, self.talk_in_tls)
        await until(lambda: len(bound) == 2)
        assert bound[0] is not None
        assert bound[1] is None
