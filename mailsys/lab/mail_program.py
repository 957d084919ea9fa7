"""What people of the lab read and write mail with: Python's own mail clients, and nothing of mailsys.

It believes a host only when TLS shows the certificate that it was given for that host.
"""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailsys.lab.organisation import Organisation, Person

SECONDS = 10.0


def trust(certificate: Path) -> ssl.SSLContext:
    """Believe a peer by this self-signed certificate alone, and only at an address that it names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return context


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What the host said while it took a message."""

    greeting: str
    tls: str
    reply: str


class _Client(smtplib.SMTP):
    """Keeps the greeting, which smtplib reads and forgets."""

    greeting = b""

    def connect(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        code, self.greeting = super().connect(*arguments, **options)
        return code, self.greeting


def submit(
    organisation: Organisation, trusted: ssl.SSLContext, person: Person, recipient: str, message: bytes
) -> HandedIn:
    """Log in with STARTTLS and hand a message in, as mail programs do.

    Raises smtplib.SMTPException, OSError.
    """
    address, port = organisation.address, organisation.port("submission")
    with _Client(address, port, timeout=SECONDS, local_hostname="laptop.example.org") as client:
        client.starttls(context=trusted)
        tls = client.sock.version() if isinstance(client.sock, ssl.SSLSocket) else ""
        client.login(person.address, person.password)
        _expect(client.mail(person.address))
        _expect(client.rcpt(recipient))
        code, reply = client.data(message)
        _expect((code, reply))
    return HandedIn(_text(client.greeting), tls or "", f"{code} {_text(reply)}")


def _text(words: bytes) -> str:
    return words.decode(errors="replace")


def _expect(reply: tuple[int, bytes]) -> None:
    code, text = reply
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, text)


def read_inbox(organisation: Organisation, trusted: ssl.SSLContext, person: Person) -> list[bytes]:
    """Fetch the same by IMAP after STARTTLS, and leave it unread.

    Raises imaplib.IMAP4.error, OSError.
    """
    with imaplib.IMAP4(organisation.address, organisation.port("imap"), timeout=SECONDS) as client:
        client.starttls(ssl_context=trusted)
        client.login(person.address, person.password)
        client.select("INBOX", readonly=True)
        _ok, parts = client.fetch("1:*", "(BODY.PEEK[])")
    return [part[1] for part in parts if isinstance(part, tuple)]


def read_mail(
    organisation: Organisation, trusted: ssl.SSLContext, person: Person, *, implicit: bool
) -> list[bytes]:
    """Fetch all mail of a person by POP3 over TLS, from the first octet on or after STLS.

    Raises poplib.error_proto, OSError.
    """
    if implicit:
        port = organisation.port("pop3s")
        client: poplib.POP3 = poplib.POP3_SSL(organisation.address, port, timeout=SECONDS, context=trusted)
    else:
        client = poplib.POP3(organisation.address, organisation.port("pop3"), timeout=SECONDS)
        client.stls(trusted)
    try:
        client.user(person.address)
        client.pass_(person.password)
        count, _octets = client.stat()
        messages = [b"\r\n".join([*client.retr(number)[1], b""]) for number in range(1, count + 1)]
        client.quit()
    finally:
        client.close()
    return messages
