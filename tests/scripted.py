"""Servers that a test writes: one function a connection, in a thread, over real sockets on loopback.

``Polite`` answers as a good server does, and lets a test replace single answers.
"""

import socket
import struct
import threading

SECONDS = 10


class ScriptedPeer:
    """The server's end of one connection."""

    def __init__(self, connection):
        self.socket = connection
        self.heard = []  # lines, without CRLF
        self._buffer = b""

    def say(self, *lines):
        self.socket.sendall(b"".join(line + b"\r\n" for line in lines))

    def hear(self):
        """One line; None at the end."""
        while b"\r\n" not in self._buffer:
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                return None
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        self.heard.append(line)
        return line

    def take(self, octets):
        """So many octets, or fewer at the end."""
        while len(self._buffer) < octets and (data := self.socket.recv(65536)):
            self._buffer += data
        taken, self._buffer = self._buffer[:octets], self._buffer[octets:]
        return taken

    def start_tls(self, context):
        self._buffer = b""
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def close(self):
        self.socket.close()

    def reset(self):
        """Close without the usual farewell."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait(self):
        """Until the other side has gone; what it says is dropped."""
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass


class ScriptedServer:
    """Listens on loopback; ``script`` is called with each connection's peer, in a thread of its own."""

    def __init__(self, script, address="127.0.0.1", port=0):
        self._script = script
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family, backlog=50)
        self.address = address
        self.port = self._listener.getsockname()[1]
        self.peers = []
        self.failures = []
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self):
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            peer = ScriptedPeer(connection)
            self.peers.append(peer)
            thread = threading.Thread(target=self._run, args=(peer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, peer):
        try:
            self._script(peer)
        except OSError:
            pass  # the other side has gone
        except Exception as failure:
            self.failures.append(failure)
        finally:
            peer.socket.close()

    def close(self):
        """Stop, and end all connections; may be called again."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self.peers:
            try:
                peer.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(SECONDS)
        assert not self.failures, self.failures


class Polite:
    """Takes mail; ``messages`` are (sender line, recipient lines, octets as they came, dots and all).

    An answer can be replaced by verb: bytes, a list of bytes of which each is said once and the last for
    ever, or a function of the peer, whose result is said unless it is None.  Verbs are those of the
    commands in upper case, GREETING and MESSAGE.
    """

    def __init__(self, *offers, tls=None, lmtp=False, **answers):
        self.offers = offers
        self.tls = tls
        self.lmtp = lmtp
        self.messages = []
        self.greeting = answers.get("GREETING")
        self._answers = answers

    def __call__(self, peer):
        sender, recipients = None, []
        self._say(peer, "GREETING", b"220 mx.test ESMTP")
        while (line := peer.hear()) is not None:
            verb = line.split(b" ")[0].split(b":")[0].upper().decode()
            match verb:
                case "EHLO" | "LHLO":
                    self._say(peer, "EHLO", self._hello())
                case "MAIL":
                    sender, recipients = line, []
                    self._say(peer, "MAIL", b"250 2.1.0 OK")
                case "RCPT":
                    if self._say(peer, "RCPT", b"250 2.1.5 OK").startswith(b"2"):
                        recipients.append(line)
                case "DATA":
                    said = self._say(peer, "DATA", b"354 go" if recipients else b"503 5.5.1 nobody")
                    if said.startswith(b"354"):
                        self._end(peer, sender, recipients, self._data(peer))
                case "BDAT":
                    self._chunk(peer, line, sender, recipients)
                case "STARTTLS":
                    if self._say(peer, "STARTTLS", b"220 2.0.0 go").startswith(b"220"):
                        peer.start_tls(self.tls)
                case "QUIT":
                    self._say(peer, "QUIT", b"221 2.0.0 bye")
                    return
                case _:
                    self._say(peer, verb, b"250 2.0.0 OK")

    def _hello(self):
        lines = [b"mx.test", *(offer.encode() for offer in self.offers)]
        return b"\r\n".join(
            b"250%s%s" % (b" " if number == len(lines) else b"-", line)
            for number, line in enumerate(lines, 1)
        )

    def _data(self, peer):
        lines = []
        while (line := peer.hear()) != b".":
            if line is None:
                raise OSError
            lines.append(line + b"\r\n")
        return b"".join(lines)

    def _chunk(self, peer, line, sender, recipients):
        _verb, size, *last = line.split()
        octets = peer.take(int(size))
        peer.chunks = [*getattr(peer, "chunks", []), octets]
        if last:
            self._end(peer, sender, recipients, b"".join(peer.chunks))
            peer.chunks = []
        else:
            self._say(peer, "BDAT", b"250 2.0.0 OK")

    def _end(self, peer, sender, recipients, octets):
        answers = [self._answer(peer, "MESSAGE", b"250 2.0.0 OK") for _ in (recipients if self.lmtp else [1])]
        if any(answer.startswith(b"2") for answer in answers):
            self.messages.append((sender, recipients, octets))
        for answer in filter(None, answers):
            peer.say(answer)

    def _say(self, peer, verb, usual):
        answer = self._answer(peer, verb, usual)
        if answer:
            peer.say(answer)
        return answer

    def _answer(self, peer, verb, usual):
        answer = self._answers.get(verb, usual)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return (answer(peer) if callable(answer) else answer) or b""


def unstuffed(octets):
    """The content of DATA as it came, without the doubled dots."""
    octets = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n")
    return octets[2:]
