"""Opens a session with a host: connection, greeting, TLS, login."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailsys.interfaces import ConnectionEnded, IWorkers
from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.net.client_tls import ClientTLS
from mailsys.net.outgoing import CannotConnect, Dialler, IConnectingReactor, OutgoingConnection
from mailsys.send import trouble
from mailsys.send.deadlines import Deadlines
from mailsys.send.demand import Protection
from mailsys.send.dialogue import Dialogue
from mailsys.send.host import Host
from mailsys.send.trouble import Trouble
from mailsys.wire.sasl.client_choice import choose_exchange
from mailsys.wire.smtp.client import SMTPClient
from mailsys.wire.smtp.client_events import Challenged, Refused


class HandshakeFailed(Trouble):
    """TLS was offered and did not come about."""


class Opener:
    """``name`` is what we call ourselves; ``sources`` are our addresses to connect from, one of each kind.

    ``nonce`` gives octets of chance for a login, and ``workers`` reckon its proof.
    """

    def __init__(
        self,
        reactor: IConnectingReactor,
        name: str,
        tls: ClientTLS,
        deadlines: Deadlines,
        workers: IWorkers,
        nonce: Callable[[], bytes],
        sources: Sequence[str] = (),
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._tls = tls
        self._deadlines = deadlines
        self._workers = workers
        self._nonce = nonce
        self._dialler = Dialler(reactor, deadlines.patience, sources)

    async def open(self, host: Host) -> Dialogue:
        """Return a dialogue that is ready for a message; raises Trouble.

        RFC 7435 3: where nobody demands TLS and the handshake fails, it is done without, on a new
        connection.  Nothing but a failed handshake leads to that.
        """
        try:
            return await self._open(host, use_tls=True)
        except HandshakeFailed as failed:
            if not host.demand.allows_none or host.scheme == "smtps":
                raise
            dialogue = await self._open(host, use_tls=False)
            dialogue.tls = f"none: {failed.said}"
            return dialogue

    async def _open(self, host: Host, *, use_tls: bool) -> Dialogue:
        connection = await self._connect(host)
        machine = SMTPClient(self._name, lmtp=host.is_lmtp)
        dialogue = Dialogue(host, connection, machine, self._reactor, self._deadlines)
        try:
            if host.scheme == "smtps":
                await self._handshake(dialogue)
                machine.is_secure = True
            await dialogue.next_event()  # Ready: anything else is trouble
            if use_tls and not machine.is_secure and "STARTTLS" in machine.offers:
                await self._start_tls(dialogue)
            self._check_protection(dialogue)
            self._check_name(dialogue)
            if host.login is not None:
                await self._log_in(dialogue)
        except BaseException as failed:
            dialogue.abort()
            if isinstance(failed, Trouble):
                failed.remote, failed.tls = dialogue.remote, dialogue.tls
            raise
        return dialogue

    async def _connect(self, host: Host) -> OutgoingConnection:
        try:
            return await self._dialler.connect(host.addresses, host.port, host.scheme)
        except CannotConnect as failed:
            words = "; ".join(f"{host.at(address)}: {why}" for address, why in failed.reasons.items())
            unreachable = Trouble(Step.CONNECT, trouble.NO_CONNECTION.with_text(words))
            unreachable.remote = str(host)
            raise unreachable from None

    async def _start_tls(self, dialogue: Dialogue) -> None:
        dialogue.machine.start_tls()
        event = await dialogue.next_event()
        if isinstance(event, Refused):
            dialogue.tls = f"none: STARTTLS was answered with {event.reply}"
            return
        if dialogue.connection.take():  # whoever put that there wants it to count inside TLS
            words = f"{dialogue.remote} sent more than the answer to STARTTLS before TLS began"
            raise Trouble(Step.TLS, trouble.NO_PROTOCOL.with_text(words))
        await self._handshake(dialogue)
        dialogue.machine.tls_started()
        await dialogue.next_event()  # Ready, once more

    async def _handshake(self, dialogue: Dialogue) -> None:
        handshake = self._tls.handshake(dialogue.host.name)
        try:
            await dialogue.connection.begin_tls(handshake)
        except ConnectionEnded:
            said = f"the handshake failed: {dialogue.connection.why_ended or 'the connection was lost'}"
            reply = trouble.NOT_PROTECTED.with_text(f"{dialogue.remote}: {said}")
            raise HandshakeFailed(Step.TLS, reply, said) from None
        why_not = handshake.why_not_verified()
        dialogue.is_verified = not why_not
        finding = f"not verified: {why_not}" if why_not else "verified"
        dialogue.tls = f"{dialogue.connection.tls}, {finding}"

    def _check_protection(self, dialogue: Dialogue) -> None:
        """Before anything of a message or a login is said."""
        demand = dialogue.host.demand
        if demand.allows_none:
            return
        if dialogue.connection.tls and (dialogue.is_verified or demand.protection is Protection.ENCRYPTED):
            return
        wanted = "TLS" if demand.protection is Protection.ENCRYPTED else "TLS with a certificate for its name"
        found = dialogue.tls or "it offers none"
        words = f"{dialogue.remote}: {demand.by} wants {wanted}, but {found}"
        raise Trouble(Step.TLS, trouble.NOT_PROTECTED.with_text(words))

    def _check_name(self, dialogue: Dialogue) -> None:
        """A host that calls itself what we are called is ourselves, by a way that we did not see."""
        host = dialogue.host
        if host.is_lmtp or dialogue.machine.offers.name.lower() != self._name:
            return
        words = f"{dialogue.remote} calls itself {self._name}, as this host does"
        reply = Reply(451, "4.4.6", words) if host.is_route else trouble.LOOP.with_text(words)
        raise Trouble(Step.HELLO, reply)

    async def _log_in(self, dialogue: Dialogue) -> None:
        """Whatever goes wrong with a login is ours to mend, so it is never the end of a message."""
        host, machine = dialogue.host, dialogue.machine
        if host.login is None or not (dialogue.is_verified or host.password_in_clear):
            words = f"{dialogue.remote}: the password is kept back, {dialogue.tls or 'as there is no TLS'}"
            raise Trouble(Step.LOGIN, trouble.NOT_PROTECTED.with_text(words))
        exchange = choose_exchange(machine.offers.mechanisms, host.login, self._nonce())
        if exchange is None:
            words = f"{dialogue.remote} offers no way to log in that is known here"
            raise Trouble(Step.LOGIN, trouble.NOT_LOGGED_IN.with_text(words))
        machine.log_in(exchange, in_clear=host.password_in_clear)
        while isinstance(event := await dialogue.next_event(), Challenged):
            response = await self._workers.run(exchange.respond, event.data)
            if response is None:
                words = f"{dialogue.remote} does not keep to {exchange.name}"
                raise Trouble(Step.LOGIN, trouble.NOT_LOGGED_IN.with_text(words))
            machine.respond(response)
        if not isinstance(event, Refused) and not exchange.is_satisfied:
            words = f"{dialogue.remote} did not show that it knows the password of {host.login.name}"
            raise Trouble(Step.LOGIN, trouble.NOT_LOGGED_IN.with_text(words))
        if isinstance(event, Refused):
            words = f"{dialogue.remote} did not take the login of {host.login.name}: {event.reply}"
            raise Trouble(Step.LOGIN, trouble.NOT_LOGGED_IN.with_text(words), str(event.reply))
