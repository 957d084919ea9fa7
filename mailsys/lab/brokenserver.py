"""What the lab's broken hosts say: SMTP servers that do one thing wrong (RFC 5321), and keep no mail.

A process of its own, run as ``python -m mailsys.lab.brokenserver PORT``.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from twisted.internet.interfaces import IAddress, ITransport
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin

from mailsys.lab.broken import BROKEN, READY, Broken

NOBODY = b"<nobody@"  # lives at none of them
PEER_SECONDS = 60.0
MOST_REMEMBERED = 10_000  # recipients that were put off
OFFERS = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


class BrokenHost(LineReceiver, TimeoutMixin):
    """One connection; ``seen`` counts the attempts for each recipient."""

    transport: ITransport

    def __init__(self, host: Broken, seen: Counter[bytes], reactor: Any) -> None:
        self._host = host
        self._seen = seen
        self._reactor = reactor
        self._in_message = False

    def connectionMade(self) -> None:
        """Greet."""
        self.setTimeout(PEER_SECONDS)  # type: ignore[no-untyped-call]
        self._answer("GREETING", f"220 mail.{self._host.domain} ESMTP")

    def connectionLost(self, reason: Any = None) -> None:
        """Nobody waits any more."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:
        """A command, or a line of a message."""
        self.resetTimeout()  # type: ignore[no-untyped-call]
        if self._in_message:
            self._hear_message(line)
            return
        verb = line.split(b" ")[0].split(b":")[0].upper().decode("ascii", "replace")
        match verb:
            case "EHLO":
                self._answer(verb, self._hello())
            case "RCPT":
                self._answer(verb, self._recipient(line))
            case "DATA":
                self._in_message = self._answer(verb, "354 Go on").startswith("354")
            case "STARTTLS" if self._host.breaks_tls:
                self._say("220 2.0.0 Go on")
                self.setRawMode()  # type: ignore[no-untyped-call]
            case "QUIT":
                self._say("221 2.0.0 Bye")
                self._later(self._close)
            case "HELO" | "MAIL" | "RSET" | "NOOP":
                self._answer(verb, "250 2.0.0 OK")
            case _:
                self._say("502 5.5.1 What?")

    def rawDataReceived(self, data: bytes) -> None:
        """The beginning of TLS, which is not understood."""
        self.transport.write(b"What is that?\r\n")
        self._close()

    def _hello(self) -> str:
        offers = (*OFFERS, *(["STARTTLS"] if self._host.breaks_tls else []))
        lines = [f"mail.{self._host.domain}", *offers]
        return "\r\n".join(
            f"250{' ' if number == len(lines) else '-'}{line}" for number, line in enumerate(lines, 1)
        )

    def _recipient(self, line: bytes) -> str:
        if NOBODY in line.lower():
            return "550 5.1.1 Nobody of that name"
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.clear()
        self._seen[line] += 1
        if self._seen[line] <= self._host.puts_off:
            return "451 4.7.1 Greylisted, come back later"
        return "250 2.1.5 OK"

    def _hear_message(self, line: bytes) -> None:
        if self._host.closes_in_data:
            self._close()
        elif line == b".":
            self._in_message = False
            self._answer("MESSAGE", "250 2.0.0 Taken, and thrown away")

    def _answer(self, verb: str, usual: str) -> str:
        words = self._host.answers.get(verb, usual)
        self._say(words)
        return words

    def _say(self, words: str) -> None:
        self._later(lambda: self.sendLine(words.encode()))  # type: ignore[no-untyped-call]

    def _later(self, act: Any) -> None:
        if self._host.pause_seconds:
            self._reactor.callLater(self._host.pause_seconds, act)
        else:
            act()

    def _close(self) -> None:
        self.transport.loseConnection()


class BrokenHostFactory(Factory):
    """Makes the connections of one host."""

    noisy = False

    def __init__(self, host: Broken, reactor: Any) -> None:
        self._host = host
        self._reactor = reactor
        self._seen: Counter[bytes] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """One more."""
        return BrokenHost(self._host, self._seen, self._reactor)


def main(arguments: list[str]) -> int:
    """Serve until a signal ends it."""
    from twisted.internet import reactor as the_reactor
    from twisted.internet.error import CannotListenError

    reactor: Any = the_reactor

    (port,) = arguments
    try:
        for host in BROKEN:
            if host.listens:
                reactor.listenTCP(int(port), BrokenHostFactory(host, reactor), interface=host.address)
    except CannotListenError as error:
        print(f"The broken hosts cannot start: {error}", file=sys.stderr)
        return 1
    print(f"{READY} on port {port}", flush=True)
    reactor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
