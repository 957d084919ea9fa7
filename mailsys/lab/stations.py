"""The stations that a letter passes: what is done at each, and how it is told."""

from __future__ import annotations

import email
import email.policy
import re

from mailsys.lab import forger
from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.letter import Letter, in_queue, story, wait_for
from mailsys.lab.mail_program import read_inbox, submit, trust
from mailsys.lab.names import NameServerProcess
from mailsys.lab.telling import Telling

_HOP = re.compile(r"from\s+(\S+).*?\sby\s+(\S+)", re.DOTALL)


class Stations:
    """Does a step, or waits until a host has done it, and tells what was seen; each raises LabFailed."""

    def __init__(self, names: NameServerProcess, telling: Telling) -> None:
        self._names = names
        self.telling = telling
        self.step = telling.step

    def submit(self, letter: Letter, host: Host, *, in_short: bool = False) -> None:
        """A person's mail program hands the letter in; raises also smtplib.SMTPException, OSError."""
        where = host.organisation
        trusted = trust(host.certificate)
        taken = submit(where, trusted, letter.sender, letter.recipient.address, letter.octets)
        place = f"{where.address} port {where.port('submission')}"
        if in_short:
            self.step("submission", f"at {place}, as before: {taken.reply}")
            return
        self.step("submission", f"{place} greets: {taken.greeting}")
        self.step("TLS", f"STARTTLS, now {taken.tls}; the certificate is {where.hostname}'s")
        self.step("login", f"as {letter.sender.address}, who may send; then MAIL, RCPT, DATA")
        self.step("intake", f"written, logged and synced, so no crash can lose it: {taken.reply}")

    def forge(self, letter: Letter, host: Host) -> None:
        """Somebody brings the letter who is not its sender; raises also smtplib.SMTPException, OSError."""
        for record in ("", "_dmarc."):
            name = f"{record}{letter.sender.domain}"
            for text in self._names.ask(name, "TXT"):
                self.step("DNS", f"{name} TXT {text}")
        self.step("forger", f"from {forger.ADDRESS}, which is none of its hosts, to {host.name}:")
        replies = forger.bring(letter, host)
        self.telling.quote("\n".join(replies))
        if not replies[-1].startswith("550 5.7.26 "):
            raise LabFailed(f"{host.name} did not refuse what is forged: {replies[-1]}")

    def ask_names(self, other: Host) -> None:
        """Where DNS says that mail for the other's domain goes."""
        domain = other.organisation.domain
        for exchange in self._names.ask(domain, "MX"):
            (_preference, name) = exchange.split()
            addresses = ", ".join(self._names.ask(name, "A"))
            self.step("DNS", f"{domain} MX {exchange}  {name} A {addresses}")

    def send(self, letter: Letter, host: Host) -> None:
        """The host's queue has brought the letter to the next."""
        done = in_queue(host, letter, finished=True)
        number = f" at attempt {done['attempts']}" if done["attempts"] > 1 else ""
        secrecy = f" over {done['tls'].partition(' ')[0]}" if done["tls"] else ""
        self.step("send", f"{done['remote']} takes it{number}{secrecy}: {done['said']}")

    def read(self, letter: Letter, host: Host, *, implicit: bool) -> bytes:
        """The recipient fetches it, by one of both ways to TLS; raises also poplib.error_proto, OSError."""
        where = host.organisation
        port, way = ("pop3s", "TLS from the start") if implicit else ("pop3", "STLS")
        received = wait_for(letter, host, implicit=implicit)
        added = received.count(b"\r\n", 0, len(received) - len(letter.octets))
        self.step("read", f"POP3 with {way} on port {where.port(port)}, as {letter.recipient.address}:")
        self.step("", f"it is there, octet for octet, with {added} header lines of ours in front")
        self._read_again(letter, host, received)
        return received

    def _read_again(self, letter: Letter, host: Host, received: bytes) -> None:
        """Over IMAP; raises also imaplib.IMAP4.error."""
        where = host.organisation
        if received not in read_inbox(where, trust(host.certificate), letter.recipient):
            raise LabFailed(f"{letter.message_id} is another over IMAP, or is not there.")
        self.step("", f"IMAP with STARTTLS on port {where.port('imap')} shows the same")

    def show_way(self, received: bytes) -> None:
        """The hosts that the letter passed, from its own trace fields."""
        fields = email.message_from_bytes(received, policy=email.policy.default).get_all("Received", [])
        self.step("way", "and the hosts that it passed, from its Received fields, the last first:")
        for hop in filter(None, map(_HOP.match, fields)):
            self.telling.quote(f"{hop[2]} got it from {hop[1]}")

    def tell_story(self, letter: Letter, host: Host, ending: str = "") -> None:
        """What the host's operator is told."""
        domain = host.organisation.domain
        told = story(host, letter, ending)
        self.step("journal", f"the story at {domain}, from 'mailsys trace {letter.message_id}':")
        self.telling.quote(told)

    def run(self, station: str, host: Host, *arguments: str) -> None:
        """A command of the operator, with what it prints."""
        printed = host.run(*arguments)
        self.step(station, f"'mailsys {' '.join(arguments)}' at {host.organisation.domain}:")
        self.telling.quote(printed)
