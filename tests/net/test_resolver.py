"""The resolver against a server that lies, keeps silent, or says too much (row 46)."""

import socket

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns_peer import DnsPeer, truncated
from resolver_contract import ZONE, ResolverContract
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from zones import ZoneResolver

from mailsys.interfaces import MailExchange, NamesUnavailable, NoSuchName
from mailsys.net.dns import asking
from mailsys.net.dns.resolver import open_resolver
from mailsys.threads import NoThreads

row46 = pytest.mark.row(46)


class PeerTestCase(TestCase):
    """``self.peer`` is asked by ``self.resolver``, which trusts it unless a test says otherwise."""

    trust_ad = False

    def setUp(self):
        self.patch(asking, "ROUNDS_SECONDS", (0.3, 0.5))
        self.peer = DnsPeer(ZONE)
        self.peer.start()
        self.resolver = self.new_resolver(self.peer.server)

    def tearDown(self):
        return Deferred.fromCoroutine(self.peer.stop())

    def new_resolver(self, *servers):
        return open_resolver(reactor, NoThreads(), servers, trust_ad=self.trust_ad)

    def answer_late(self, before):
        """Answer rightly, but first do something that must not matter."""

        def on_datagram(query, send, address):
            before(query, send, address)
            reactor.callLater(0.05, send, self.peer.zone.reply(query).to_wire())

        self.peer.on_datagram = on_datagram

    async def has_the_right_addresses(self):
        assert sorted((await self.resolver.addresses("mx2.example.test")).records) == [
            "192.0.2.2",
            "192.0.2.3",
        ]

    async def fails(self, asked, kind=NamesUnavailable):
        return await ResolverContract.refuses(self, asked, kind)


class TheContract(ResolverContract, PeerTestCase):
    pass


class TheContractOfTheFake(ResolverContract, TestCase):
    def setUp(self):
        self.resolver = ZoneResolver(ZONE)


def forged(query, **changes):
    """An answer with an address of somebody else."""
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", "203.0.113.66"))
    for name, value in changes.items():
        setattr(reply, name, value)
    return reply.to_wire()


@row46
class Forgeries(PeerTestCase):
    async def test_a_wrong_id_is_ignored(self):
        self.answer_late(lambda query, send, _: send(forged(query, id=query.id ^ 1)))
        await self.has_the_right_addresses()

    async def test_many_wrong_ids_lead_to_tcp(self):
        """Somebody guesses, and may guess right in the end."""

        def guesses(query, send, _address):
            for number in range(1, 60):
                send(forged(query, id=query.id ^ number))

        self.peer.on_datagram = guesses
        await self.has_the_right_addresses()
        assert len(self.peer.streamed) == 2

    async def test_a_wrong_source_port_is_ignored(self):
        def from_elsewhere(query, _send, address):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
                elsewhere.sendto(forged(query), address)

        self.answer_late(from_elsewhere)
        await self.has_the_right_addresses()

    async def test_the_answer_to_another_question_is_not_taken(self):
        def other(query, send, _address):
            asked = dns.message.make_query("other.test", "A", id=query.id)
            send(forged(asked))

        self.peer.on_datagram = other
        await self.has_the_right_addresses()
        assert self.peer.streamed

    async def test_each_question_has_a_port_and_an_id_of_its_own(self):
        for number in range(10):
            await self.fails(self.resolver.text(f"{number}.nothing.test"), NoSuchName)
        assert len({query.id for query in self.peer.queries}) > 5
        assert len(self.peer.senders) > 5

    async def test_extra_answers_are_left_unread(self):
        def generous(query, send, _address):
            reply = self.peer.zone.reply(query)
            for section in (reply.answer, reply.additional, reply.authority):
                section.append(dns.rrset.from_text("bank.test.", 300, "IN", "A", "203.0.113.66"))
            send(reply.to_wire())

        self.peer.on_datagram = generous
        await self.has_the_right_addresses()
        self.peer.on_datagram = type(self.peer).on_datagram.__get__(self.peer)
        await self.fails(self.resolver.addresses("bank.test"), NoSuchName)

    async def test_nxdomain_with_an_answer_is_nxdomain(self):
        def contradictory(query, send, _address):
            reply = dns.message.from_wire(forged(query))
            reply.set_rcode(dns.rcode.NXDOMAIN)
            send(reply.to_wire())

        self.peer.on_datagram = contradictory
        await self.fails(self.resolver.addresses("mx2.example.test"), NoSuchName)

    async def test_octets_that_are_no_message(self):
        def junk(query, send, _address):
            send(query.to_wire()[:2] + b"\xff" * 100)

        self.peer.on_datagram = junk
        await self.has_the_right_addresses()
        assert self.peer.streamed

    async def test_ad_of_a_server_that_is_not_trusted(self):
        self.peer.on_datagram = validated(self.peer)
        assert not (await self.resolver.mail_exchanges("example.test")).secure
        assert not self.peer.queries[-1].flags & dns.flags.AD


def validated(peer):
    def on_datagram(query, send, _address):
        reply = peer.zone.reply(query)
        reply.flags |= dns.flags.AD
        send(reply.to_wire())

    return on_datagram


@row46
class Trusted(PeerTestCase):
    trust_ad = True

    async def test_ad_is_asked_for_and_believed(self):
        self.peer.on_datagram = validated(self.peer)
        assert (await self.resolver.mail_exchanges("example.test")).secure
        assert self.peer.queries[-1].flags & dns.flags.AD

    async def test_without_ad_it_is_not_secure(self):
        assert not (await self.resolver.mail_exchanges("example.test")).secure


@row46
class Sizes(PeerTestCase):
    async def test_a_truncated_reply_is_asked_for_over_tcp(self):
        self.peer.on_datagram = lambda query, send, _: send(truncated(query))
        await self.has_the_right_addresses()

    async def test_64_kb_over_tcp_are_read_and_bounded(self):
        for number in range(2600):
            self.peer.zone.add(f"many.test. 300 MX {number} m{number}.many.test.")
        answer = await self.resolver.mail_exchanges("many.test")
        assert len(answer.records) == 500
        assert self.peer.streamed

    async def test_a_stream_that_never_comes_to_an_end(self):
        self.peer.on_datagram = lambda query, send, _: send(truncated(query))
        self.peer.on_stream = lambda _query, stream: stream.transport.write(b"\xff\xff" + b"x" * 1000)
        reason = await self.fails(self.resolver.text("example.test"))
        assert "TCP" in reason

    async def test_a_stream_that_is_closed(self):
        self.peer.on_datagram = lambda query, send, _: send(truncated(query))
        self.peer.on_stream = lambda _query, stream: stream.transport.loseConnection()
        await self.fails(self.resolver.text("example.test"))

    async def test_a_hundred_cnames_in_one_reply(self):
        def chain(query, send, _address):
            reply = dns.message.make_response(query)
            name = str(query.question[0].name)
            for number in range(100):
                reply.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", f"c{number}.t."))
                name = f"c{number}.t."
            reply.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", "1 end.t."))
            send(reply.to_wire(max_size=65535))

        self.peer.on_datagram = chain
        reason = await self.fails(self.resolver.mail_exchanges("start.test"))
        assert "on and on" in reason

    async def test_a_hundred_cnames_reply_by_reply(self):
        def step(query, send, _address):
            reply = dns.message.make_response(query)
            name = query.question[0].name
            reply.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", f"x{query.id}.t."))
            send(reply.to_wire())

        self.peer.on_datagram = step
        await self.fails(self.resolver.mail_exchanges("start.test"))
        assert len(self.peer.queries) < 20

    async def test_a_cname_that_the_server_does_not_follow(self):
        def first_step_only(query, send, _address):
            reply = self.peer.zone.reply(query)
            reply.answer = reply.answer[:1]
            send(reply.to_wire())

        self.peer.on_datagram = first_step_only
        answer = await self.resolver.addresses("www.example.test")
        assert sorted(answer.records) == ["192.0.2.1", "2001:db8::1"]


@row46
class Trouble(PeerTestCase):
    async def test_a_slow_server_is_given_up(self):
        self.peer.on_datagram = lambda *_: None
        began = reactor.seconds()
        reason = await self.fails(self.resolver.mail_exchanges("example.test"))
        assert "did not answer" in reason
        assert reactor.seconds() - began < 5
        assert len(self.peer.queries) == 2

    async def test_the_next_server_answers(self):
        self.peer.on_datagram = lambda *_: None
        other = DnsPeer(ZONE)
        other.start()
        try:
            resolver = self.new_resolver(self.peer.server, other.server)
            assert (await resolver.mail_exchanges("silent.test")).records == (MailExchange(0, ""),)
            await resolver.text("example.test")
            assert len(self.peer.queries) == 1  # it is asked last from then on
        finally:
            await other.stop()

    async def test_nobody_is_there(self):
        await self.fails(self.new_resolver(("127.0.0.1", 1)).text("example.test"))

    async def test_servfail_is_no_answer_and_is_remembered_for_a_moment(self):
        self.peer.on_datagram = self.say(dns.rcode.SERVFAIL)
        reason = await self.fails(self.resolver.text("example.test"))
        assert "SERVFAIL" in reason
        await self.fails(self.resolver.text("example.test"))
        assert len(self.peer.queries) == 1

    def say(self, code):
        def on_datagram(query, send, _address):
            reply = dns.message.make_response(query)
            reply.set_rcode(code)
            send(reply.to_wire())

        return on_datagram

    async def test_a_server_without_edns(self):
        def old(query, send, _address):
            if query.edns >= 0:
                self.say(dns.rcode.FORMERR)(query, send, _address)
            else:
                send(self.peer.zone.reply(query).to_wire())

        self.peer.on_datagram = old
        await self.has_the_right_addresses()

    async def test_one_kind_of_address_fails(self):
        def no_ipv6(query, send, address):
            if query.question[0].rdtype == dns.rdatatype.AAAA:
                self.say(dns.rcode.SERVFAIL)(query, send, address)
            else:
                send(self.peer.zone.reply(query).to_wire())

        self.peer.on_datagram = no_ipv6
        await self.has_the_right_addresses()


class Remembering(PeerTestCase):
    async def test_the_same_question_is_asked_once_at_a_time(self):
        self.answer_late(lambda *_: None)
        asked = [Deferred.fromCoroutine(self.resolver.text("example.test")) for _ in range(5)]
        answers = [await one for one in asked]
        assert len({answer.records for answer in answers}) == 1
        assert len(self.peer.queries) == 1

    async def test_who_gives_up_does_not_disturb_the_others(self):
        self.answer_late(lambda *_: None)
        first = Deferred.fromCoroutine(self.resolver.text("example.test"))
        second = Deferred.fromCoroutine(self.resolver.text("example.test"))
        first.addErrback(lambda _: None)
        first.cancel()
        assert len((await second).records) == 2

    async def test_an_answer_is_kept_as_long_as_it_holds(self):
        self.peer.zone.add("short.test. 1 TXT x")
        await self.resolver.text("short.test")
        await self.resolver.text("short.test")
        assert len(self.peer.queries) == 1
        await deferLater(reactor, 1.1)
        await self.resolver.text("short.test")
        assert len(self.peer.queries) == 2

    async def test_what_is_not_there_is_remembered_too(self):
        for _ in range(2):
            await self.fails(self.resolver.text("nothing.test"), NoSuchName)
        assert len(self.peer.queries) == 1
