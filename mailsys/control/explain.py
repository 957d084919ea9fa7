"""``mailsys explain``: what would happen to a message or to an address; nothing is delivered."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailsys.config import Configuration
from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.offline import read_address
from mailsys.interfaces import DirectoryUnavailable, Disposition, Peer, Session, Verdict
from mailsys.journal.printable import printable
from mailsys.message.address import Address
from mailsys.message.content import Content, MemoryContent
from mailsys.message.envelope import render_path
from mailsys.message.outcome import Deferred, Delivered, Failed, outcome_of
from mailsys.message.reply import OK, TOO_BIG, TOO_MANY_RECIPIENTS, Reply

if TYPE_CHECKING:
    from mailsys.receive.recipients import Admission
    from mailsys.receive.transaction import Transaction


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``explain``."""
    parser = subcommands.add_parser("explain", help="tell what would happen to a message, without sending it")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--from", dest="sender", required=True, metavar="A", help='the reverse-path; "" for a notice'
    )
    parser.add_argument(
        "--to", required=True, action="append", metavar="B", help="a recipient; may be repeated"
    )
    parser.add_argument("--ip", default="127.0.0.1", metavar="IP", help="the client's address (127.0.0.1)")
    parser.add_argument("--helo", default="localhost", metavar="NAME", help="what the client calls itself")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="the message; without it only the envelope is asked"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask every station that can say no, in the order of a real session."""
    from mailsys.stations import build_admission, build_directory

    configuration = read_configuration(arguments)
    sender = read_address(arguments.sender) if arguments.sender else None
    recipients = [read_address(text) for text in arguments.to]
    content = _read(arguments.file) if arguments.file else None
    session = Session("explain", Peer(arguments.ip, 0, "smtp"), arguments.helo, "ESMTP")
    dry_run = DryRun(session, sender)
    with closing(build_directory(configuration)) as directory:
        admission = build_admission(configuration, directory)
        try:
            at_once(dry_run.ask(configuration, admission, recipients, content))
        except DirectoryUnavailable:
            raise CannotDo("The accounts cannot be read; run it as the server's user.") from None
    print(
        json.dumps(dry_run.as_json(), indent=2, ensure_ascii=False) if arguments.json else dry_run.as_text()
    )
    return 0


def _read(path: str) -> Content:
    try:
        with open(path, "rb") as file:
            octets = file.read()
    except OSError as error:
        raise CannotDo(f"{path} cannot be read: {error.strerror}.") from error
    # A file on this machine ends its lines with LF; on the wire it would be CR LF.
    return MemoryContent([octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")])


@dataclass(frozen=True, slots=True)
class Said:
    """What one recipient would be answered."""

    address: Address
    reply: Reply
    accounts: tuple[Address, ...]
    why: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """One word."""
        match outcome_of(self.reply, ", ".join(account.display() for account in self.accounts)):
            case Delivered():
                return "delivered"
            case Deferred():
                return "deferred"
            case Failed():
                return "refused"


@dataclass(slots=True)
class DryRun:
    """Goes through a session that never was; ``verdict`` is on the message as a whole."""

    session: Session
    sender: Address | None
    said: list[Said] = field(default_factory=list)
    verdict: Verdict = field(default_factory=lambda: Verdict(Disposition.ACCEPT))

    async def ask(
        self,
        configuration: Configuration,
        admission: Admission,
        recipients: list[Address],
        content: Content | None,
    ) -> None:
        """Ask about the connection, the sender, each recipient and the message, in this order."""
        judges = admission.judges
        self.verdict = await judges.connection(self.session)
        if self._goes_on:
            too_big = _too_big(content, configuration.limits.message_size) if content else None
            self.verdict = too_big or await judges.sender(self.session, self.sender)
        if not self._goes_on:
            return
        transaction = self._transaction(configuration, recipients, content)
        for recipient in recipients:
            self.said.append(await self._ask_about(recipient, admission, transaction))
        if content is not None and transaction.recipients:
            self.verdict = _fault(content) or await judges.message(
                self.session, transaction.envelope(), content
            )

    async def _ask_about(self, recipient: Address, admission: Admission, transaction: Transaction) -> Said:
        reply, reason = await admission.admit(self.session, transaction, recipient)
        if reply == TOO_MANY_RECIPIENTS:
            reason = f"limits.recipients is {admission.recipients}"
        routed = transaction.recipients.get(recipient)
        accounts = tuple(account.address for account in routed.accounts) if routed else ()
        why = routed.via if routed else ((reason,) if reason else ())
        return Said(recipient, reply, accounts, why)

    def _transaction(
        self, configuration: Configuration, recipients: list[Address], content: Content | None
    ) -> Transaction:
        from mailsys.disk import Disk
        from mailsys.receive.collector import Collector
        from mailsys.receive.transaction import Transaction
        from mailsys.threads import NoThreads
        from mailsys.wire.smtp.commands import Mail

        addresses = [*recipients, *([self.sender] if self.sender else [])]
        utf8 = not all(address.is_ascii for address in addresses)
        mail = Mail(self.sender, content.size if content else None, smtputf8=utf8)
        collector = Collector(Disk(), NoThreads(), "")
        return Transaction("explain", mail, collector, configuration.limits.message_size)

    @property
    def _goes_on(self) -> bool:
        return self.verdict.disposition in (Disposition.ACCEPT, Disposition.JUNK)

    # ------------------------------------------------------------------ telling

    def as_json(self) -> dict[str, Any]:
        """The form that programs rely on."""
        return {
            "recipients": [
                {
                    "address": str(said.address),
                    "outcome": said.outcome,
                    "reply": str(said.reply),
                    "accounts": [str(account) for account in said.accounts],
                    "why": list(said.why),
                }
                for said in self.said
            ],
            "verdict": {
                "action": self.verdict.disposition.name.lower(),
                "reply": str(self.verdict.reply or OK),
                "reason": self.verdict.reason,
            },
        }

    def as_text(self) -> str:
        """The form for people."""
        peer = f"{printable(self.session.greeting)} [{self.session.peer.host}]"
        lines = [
            f"A message from {render_path(self.sender)}, handed in by {peer} at {time.strftime('%H:%M')}:"
        ]
        for said in self.said:
            lines.append(f"  {said.address.display()} {_in_words(said)}")
            lines += [f"    {printable(why)}." for why in said.why]
        lines.append(f"  {_verdict_in_words(self.verdict)}")
        return "\n".join(lines)


def _too_big(content: Content, limit: int) -> Verdict | None:
    if content.size <= limit:
        return None
    reason = f"the message has {content.size} octets, and limits.message_size is {limit}"
    return Verdict(Disposition.REJECT, reason, TOO_BIG)


def _fault(content: Content) -> Verdict | None:
    """What is wrong with the octets themselves, as at the end of DATA."""
    from mailsys.receive.handover import FAULTS
    from mailsys.wire.data import ContentScan

    scan = ContentScan()
    for piece in content.pieces():
        scan.feed(piece)
    fault = scan.fault()
    return Verdict(Disposition.REJECT, fault.value, FAULTS[fault]) if fault else None


def _in_words(said: Said) -> str:
    if said.reply.is_positive:
        accounts = ", ".join(account.display() for account in said.accounts)
        return f"would be delivered to {accounts}, folder INBOX."
    return f'would be {said.outcome}; the client is told "{said.reply}".'


def _verdict_in_words(verdict: Verdict) -> str:
    told = f' The client is told "{verdict.reply}".' if verdict.reply else ""
    reason = f" ({printable(verdict.reason)})" if verdict.reason else ""
    match verdict.disposition:
        case Disposition.ACCEPT:
            return f"No judge objects{reason}."
        case Disposition.JUNK:
            return f"It would be delivered to INBOX all the same, and marked as junk in its story{reason}."
        case Disposition.DEFER:
            return f"It would be put off{reason}.{told}"
        case Disposition.REJECT:
            return f"It would be refused{reason}.{told}"
