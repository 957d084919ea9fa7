"""The story that the lab tells: mail goes in at each host, and comes out again."""

from __future__ import annotations

import poplib
import secrets
import smtplib
import ssl
import time
from collections.abc import Sequence
from email.utils import formatdate

from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.telling import Telling
from mailsys.lab.visitor import SENDER, HandedIn, hand_in, read_mail, trust

ARRIVAL_SECONDS = 10.0


def show_mail(hosts: Sequence[Host], telling: Telling) -> None:
    """Write to the first person of each organisation, and read it back; raises LabFailed."""
    for number, host in enumerate(hosts):
        try:
            _show_one(host, telling, implicit=bool(number % 2))
        except (smtplib.SMTPException, poplib.error_proto, OSError, LabFailed) as error:
            raise LabFailed(f"{host.organisation.hostname}: {error}\n{host.log_tail()}") from error


def _show_one(host: Host, telling: Telling, *, implicit: bool) -> None:
    where, person = host.organisation, host.organisation.people[0]
    trusted = trust(host.certificate)
    message_id = f"<{secrets.token_hex(6)}@example.org>"
    message = _letter(person.address, message_id)
    telling.heading(f"{SENDER}, a stranger, writes to {person.address}")
    _tell_handing_in(host, telling, hand_in(where, trusted, person.address, message))
    _show_arrival(host, telling, trusted, message, implicit=implicit)
    telling.step("journal", f"and the whole story, from 'mailsys trace {message_id}':")
    telling.quote(_story(host, message_id))


def _tell_handing_in(host: Host, telling: Telling, handed_in: HandedIn) -> None:
    where = host.organisation
    telling.step("network", f"{where.address} port {where.port('smtp')} greets: {handed_in.greeting}")
    telling.step("TLS", f"STARTTLS, now {handed_in.tls}; the certificate is {where.hostname}'s")
    telling.step("receive", "MAIL, RCPT, DATA: somebody lives there, and the message is wanted")
    telling.step("intake", "written, logged and synced: from here on no crash can lose it")
    telling.step("store", f"in the mailbox, and only now the answer: {handed_in.reply}")


def _show_arrival(
    host: Host, telling: Telling, trusted: ssl.SSLContext, message: bytes, *, implicit: bool
) -> None:
    where, person = host.organisation, host.organisation.people[0]
    port, way = ("pop3s", "TLS from the start") if implicit else ("pop3", "STLS")
    received = _wait_for(host, trusted, message, implicit=implicit)
    added = received.count(b"\r\n", 0, len(received) - len(message))
    telling.step("read", f"POP3 with {way} on port {where.port(port)}, as {person.address}: it is there,")
    telling.step("", f"octet for octet, with {added} header lines of ours in front")


def _wait_for(host: Host, trusted: ssl.SSLContext, message: bytes, *, implicit: bool) -> bytes:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        for received in read_mail(host.organisation, trusted, host.organisation.people[0], implicit=implicit):
            if received.endswith(message):
                return received
        time.sleep(0.2)
    raise LabFailed(f"the message did not arrive within {ARRIVAL_SECONDS:.0f} s.")


def _story(host: Host, message_id: str) -> str:
    """The journal is written in batches, so the story may be a moment late."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        try:
            return host.run("trace", message_id)
        except LabFailed:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _letter(recipient: str, message_id: str) -> bytes:
    lines = (
        f"Date: {formatdate()}",
        f"From: A Visitor <{SENDER}>",
        f"To: <{recipient}>",
        f"Message-ID: {message_id}",
        "Subject: Hello from outside",
        "",
        "Is anybody there?",
        ".A line that begins with a dot comes through as well.",
        "",
    )
    return "\r\n".join(lines).encode()
