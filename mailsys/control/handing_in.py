"""Hands a message to the server on this machine, by SMTP, and waits for its answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from mailsys.control.written_mail import Mail
from mailsys.message.envelope import Body, Envelope
from mailsys.message.reply import Reply
from mailsys.wire.smtp.client import SMTPClient
from mailsys.wire.smtp.client_events import (
    BodyWanted,
    Broken,
    Event,
    MessageAnswered,
    NoBody,
    Ready,
    RecipientAnswered,
    Refused,
    SenderAnswered,
    Stopped,
)
from mailsys.wire.smtp.client_lines import Order

SECONDS = 600.0  # RFC 5321 4.5.3.2.6
READ_OCTETS = 64 * 1024
Place = str | tuple[str, int]  # the path of a local socket, or host and port
_RELAYING = (
    "receive.trusted_users and receive.trusted_networks name who may send to other hosts without a login"
)


class NotTaken(Exception):  # noqa: N818 - a sentence for whoever sends
    """The server did not take it; ``status`` is the exit status of sysexits.h."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


def hand_in(places: Sequence[Place], mail: Mail) -> None:
    """Return when the server has answered for the message; for all recipients or none.  Raises NotTaken.

    The first place that can be reached is taken.
    """
    try:
        with _connected(places) as connection:
            _Exchange(connection, mail).run()
    except OSError as error:
        where = " and ".join(map(_in_words, places))
        words = f"the server does not answer at {where} ({error.strerror or error})"
        raise NotTaken(words, os.EX_TEMPFAIL) from error


def _connected(places: Sequence[Place]) -> socket.socket:
    """Raises the OSError of the last place."""
    for place in places[:-1]:
        try:
            return _connect(place)
        except OSError:
            continue
    return _connect(places[-1])


def _connect(place: Place) -> socket.socket:
    if not isinstance(place, str):
        return socket.create_connection(place, timeout=SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(SECONDS)
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection


def _in_words(place: Place) -> str:
    return place if isinstance(place, str) else f"{place[0]} port {place[1]}"


class _Exchange:
    """One connection; what the server says decides how it goes on."""

    def __init__(self, connection: socket.socket, mail: Mail) -> None:
        self._connection = connection
        self._mail = mail
        self._machine = SMTPClient("localhost")
        self._refusal: NotTaken | None = None

    def run(self) -> None:
        """Until the message is taken; raises NotTaken, OSError."""
        while True:
            event = self._machine.next_event()
            self._connection.sendall(self._machine.data_to_send())  # it may have gone on by itself
            if event is None:
                data = self._connection.recv(READ_OCTETS)
                if not data:
                    raise OSError("it hung up")
                self._machine.receive_data(data)
            elif self._hear(event):
                self._connection.sendall(self._machine.data_to_send())
                return

    def _hear(self, event: Event) -> bool:
        """Go on; True when the message was taken."""
        match event:
            case Ready():
                self._machine.send(self._order())
            case SenderAnswered(reply) if not reply.is_positive:
                self._refusal = _not_taken("", reply)
            case RecipientAnswered(recipient, reply) if not reply.is_positive:
                self._refusal = self._refusal or _not_taken(f" for <{recipient}>", reply)
            case BodyWanted():
                if self._refusal is not None:
                    raise self._refusal
                self._machine.send_body(self._mail.octets, last=True)
            case NoBody(reply):
                raise self._refusal or (_not_taken("", reply) if reply else OSError("it took nobody"))
            case MessageAnswered(_recipients, reply) if reply.is_positive:
                self._machine.quit()
                return True
            case MessageAnswered(_, reply) | Refused(_, reply) | Stopped(_, reply):
                raise _not_taken("", reply)
            case Broken(_step, why):
                raise OSError(f"it {why}")
        return False

    def _order(self) -> Order:
        mail = self._mail
        body = Body.SEVEN_BIT if mail.octets.isascii() else Body.EIGHT_BIT_MIME
        envelope = Envelope("", mail.sender, mail.recipients, body, mail.smtputf8)
        return Order(envelope, mail.recipients, len(mail.octets), body, mail.smtputf8)


def _not_taken(whom: str, reply: Reply) -> NotTaken:
    said = f"{reply.code} {reply.enhanced} {reply.text}" if reply.enhanced else f"{reply.code} {reply.text}"
    words = f"the server said{whom}: {said.strip()}"
    if not reply.is_permanent:
        return NotTaken(words, os.EX_TEMPFAIL)
    if not whom:
        return NotTaken(words, os.EX_UNAVAILABLE)
    if str(reply.enhanced).startswith("5.7"):
        return NotTaken(f"{words} ({_RELAYING})", os.EX_NOPERM)
    return NotTaken(words, os.EX_NOUSER)
