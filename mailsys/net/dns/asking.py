"""One question to several servers: datagrams first, a stream when they do not suffice, each a second time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
from twisted.internet.defer import DeferredSemaphore
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsys.interfaces import IWorkers, NamesUnavailable
from mailsys.net.dns.codec import UDP_OCTETS, Nonsense, Question, decode_reply, encode_query
from mailsys.net.dns.exchange import Guessed, NoReply, Server, ask_by_datagram, ask_by_stream
from mailsys.net.dns.servers import Servers

ROUNDS_SECONDS = (2.0, 4.0)  # how long a server has for its reply, the first and the second time
WHOLE_SECONDS = 20.0
AT_ONCE = 256  # questions under way; each has a socket
IN_A_TURN = 16  # that begin in one turn of the reactor: a socket takes its time
_ANSWERS = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})
_WITHOUT_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP})

log = Logger(namespace="mailsys.dns")


class Refusal(NoReply):
    """The server replied, and has no answer; it need not be asked a second time."""


class Asker:
    """Puts questions to ``servers``.  ``new_id`` gives random numbers of 16 bits.

    ``workers`` read large replies.  ``wants_ad`` asks servers whether they have validated the answer.
    """

    def __init__(
        self,
        reactor: Any,
        servers: Servers,
        workers: IWorkers,
        new_id: Callable[[], int],
        *,
        wants_ad: bool,
    ) -> None:
        self._reactor = reactor
        self._servers = servers
        self._workers = workers
        self._new_id = new_id
        self._wants_ad = wants_ad
        self._places = DeferredSemaphore(AT_ONCE)
        self._begun = 0  # in this turn of the reactor

    async def ask(self, question: Question) -> dns.message.Message:
        """The reply, whose code is NOERROR or NXDOMAIN; raises NamesUnavailable."""
        await self._places.acquire()
        try:
            await self._wait_for_a_turn()
            return await self._ask_each(question)
        finally:
            self._places.release()

    async def _wait_for_a_turn(self) -> None:
        """When very many ask in the same moment, others have their turn in between."""
        while self._begun >= IN_A_TURN:
            await deferLater(self._reactor, 0)
        if not self._begun:
            self._reactor.callLater(0, self._begin_a_turn)
        self._begun += 1

    def _begin_a_turn(self) -> None:
        self._begun = 0

    async def _ask_each(self, question: Question) -> dns.message.Message:
        end = self._reactor.seconds() + WHOLE_SECONDS
        reasons: dict[Server, NoReply] = {}
        for seconds in ROUNDS_SECONDS:
            for server in self._servers.in_order():
                left = min(seconds, end - self._reactor.seconds())
                if left <= 0 or isinstance(reasons.get(server), Refusal):
                    continue
                try:
                    return await self._ask(server, question, left)
                except NoReply as reason:
                    reasons[server] = reason
                    if not isinstance(reason, Refusal):
                        self._servers.did_not_reply(server)
        words = "; ".join(f"{host}: {reason}" for (host, _), reason in reasons.items())
        log.info("No answer for {question}: {words}", question=question, words=words)
        raise NamesUnavailable(f"no answer for {question} ({words})")

    async def _ask(self, server: Server, question: Question, seconds: float) -> dns.message.Message:
        """One server; raises NoReply."""
        reply = await self._exchange(server, question, seconds, edns=True)
        if reply.rcode() in _WITHOUT_EDNS:
            reply = await self._exchange(server, question, seconds, edns=False)
        if reply.rcode() not in _ANSWERS:
            raise Refusal(f"it said {dns.rcode.to_text(reply.rcode())}")
        return reply

    async def _exchange(
        self, server: Server, question: Question, seconds: float, *, edns: bool
    ) -> dns.message.Message:
        number = self._new_id()
        query = encode_query(question, number, edns=edns, wants_ad=self._wants_ad)
        try:
            octets = await ask_by_datagram(self._reactor, server, number, query, seconds)
            reply = await self._read(octets, question)
            if not reply.flags & dns.flags.TC:
                return reply
        except (Guessed, Nonsense) as reason:
            log.info("{host} is asked over TCP: {reason}", host=server[0], reason=reason)
        try:
            octets = await ask_by_stream(self._reactor, server, number, query, seconds)
            return await self._read(octets, question)
        except Nonsense as reason:
            raise NoReply(f"its reply is no answer: {reason}") from reason

    async def _read(self, octets: bytes, question: Question) -> dns.message.Message:
        if len(octets) <= UDP_OCTETS:
            return decode_reply(octets, question)
        return await self._workers.run(decode_reply, octets, question)
