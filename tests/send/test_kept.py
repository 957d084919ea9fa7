"""Connections that are used again: for how long, how often, for whom, and never once they are stale."""

import pytest
from scripted import Polite
from send_house import BOB, SendTestCase, assert_deferred, assert_delivered
from twisted.internet import reactor
from twisted.internet.task import deferLater

from mailsys.config.nexthop import parse_smarthost
from mailsys.send.kept import KeepLimits
from mailsys.send.routes import Routes


class Kept(SendTestCase):
    def begin(self, polite, **settings):
        self.server = self.serve(polite)
        return self.delivery(self.server.port, **settings)

    async def until(self, is_so):
        while not is_so():
            await deferLater(reactor, 0.01)

    async def test_one_connection_for_many_messages(self):
        polite = Polite("PIPELINING")
        delivery = self.begin(polite)
        for _ in range(5):
            assert_delivered((await self.deliver(delivery))[BOB])
        assert (len(polite.messages), len(self.server.peers), len(self.kept)) == (5, 1, 1)
        assert self.server.peers[0].heard.count(b"EHLO client.test") == 1
        assert b"RSET" not in self.server.peers[0].heard

    async def test_after_a_refusal_it_is_used_again_and_reset(self):
        polite = Polite("PIPELINING", RCPT=[b"550 5.1.1 unknown", b"250 OK"])
        delivery = self.begin(polite)
        for _ in range(2):
            await self.deliver(delivery)
        assert (len(polite.messages), len(self.server.peers)) == (1, 1)
        assert self.server.peers[0].heard.count(b"RSET") == 1

    async def test_leave_is_taken_after_a_while(self):
        delivery = self.begin(Polite(), limits=KeepLimits(idle_seconds=0.1))
        await self.deliver(delivery)
        await self.until(lambda: b"QUIT" in self.server.peers[0].heard)
        assert len(self.kept) == 0

    async def test_only_so_many_messages_and_for_so_long(self):
        for limits, connections in [
            (KeepLimits(messages=2), 2),
            (KeepLimits(life_seconds=0), 4),
            (KeepLimits(total=0), 4),
            (KeepLimits(per_host=0), 4),
        ]:
            delivery = self.begin(Polite(), limits=limits)
            for _ in range(4):
                assert_delivered((await self.deliver(delivery))[BOB])
            assert len(self.server.peers) == connections

    async def test_a_server_that_goes_meanwhile(self):
        def leave(peer):
            peer.say(b"250 OK")
            raise OSError

        polite = Polite(MESSAGE=[leave, b"250 OK"])
        delivery = self.begin(polite)
        await self.deliver(delivery)
        await self.until(lambda: len(self.kept) == 0)
        assert_delivered((await self.deliver(delivery))[BOB])
        assert len(self.server.peers) == 2

    async def test_a_server_that_says_goodbye_meanwhile(self):
        polite = Polite(MESSAGE=[b"250 OK\r\n421 4.4.2 idle for too long", b"250 OK"])
        delivery = self.begin(polite)
        await self.deliver(delivery)
        await deferLater(reactor, 0.05)
        assert_delivered((await self.deliver(delivery))[BOB])
        assert len(self.server.peers) == 2

    @pytest.mark.row(29)
    async def test_a_stale_connection_is_no_reason_to_wait(self):
        """It ends just when it is used again: nothing of the message was answered, so another is opened."""
        for end in (b"421 4.4.2 idle for too long", lambda peer: peer.reset()):
            polite = Polite("PIPELINING", MAIL=[b"250 OK", end, b"250 OK"])
            delivery = self.begin(polite)
            for _ in range(2):
                assert_delivered((await self.deliver(delivery))[BOB])
            assert (len(polite.messages), len(self.server.peers)) == (2, 2)

    async def test_a_new_connection_that_ends_is_one(self):
        delivery = self.begin(Polite(MAIL=lambda peer: peer.reset()))
        assert_deferred((await self.deliver(delivery))[BOB], "4.4.2")
        assert len(self.server.peers) == 1

    async def test_what_one_login_opened_no_other_uses(self):
        polite = Polite("AUTH PLAIN", AUTH=b"235 welcome")
        server = self.serve(polite)
        for user in ("ann", "bob", "ann"):
            hop = parse_smarthost(f"smtp://{user}@127.0.0.1:{server.port}")
            delivery = self.delivery(1, "", routes=Routes(hop, {}, lambda: "secret"))
            if user == "ann":
                first = delivery
            else:
                delivery._kept = first._kept  # as if one delivery had both logins
            assert_delivered((await self.deliver(delivery))[BOB])
        assert len(server.peers) == 3

    async def test_two_at_once_use_two(self):
        from twisted.internet.defer import Deferred, gatherResults

        polite = Polite()
        delivery = self.begin(polite)
        both = [Deferred.fromCoroutine(self.deliver(delivery)) for _ in range(2)]
        for attempts in await gatherResults(both):
            assert_delivered(attempts[BOB])
        assert (len(self.server.peers), len(self.kept)) == (2, 2)
        self.kept.quit_all()
        assert len(self.kept) == 0
