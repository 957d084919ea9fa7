"""A letter from one person of the lab to another, and what became of it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, TypeVar

from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.mail_program import read_mail, trust
from mailsys.lab.organisation import Person

ARRIVAL_SECONDS = 20.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Letter:
    """Its octets are what the sender's mail program hands in."""

    sender: Person
    recipient: Person
    message_id: str
    octets: bytes


def write(sender: Person, recipient: Person, subject: str, *words: str) -> Letter:
    """Write a letter; ``words`` are its lines."""
    message_id = f"<{secrets.token_hex(4)}@{sender.domain}>"
    lines = (
        f"Date: {formatdate()}",
        f"From: {sender.name.capitalize()} <{sender.address}>",
        f"To: {recipient.name.capitalize()} <{recipient.address}>",
        f"Message-ID: {message_id}",
        f"Subject: {subject}",
        "",
        *words,
        ".A line that begins with a dot comes through as well.",
        "",
    )
    return Letter(sender, recipient, message_id, "\r\n".join(lines).encode())


def wait_for(letter: Letter, host: Host, *, implicit: bool) -> bytes:
    """The letter as its recipient reads it at the host, with the lines in front; raises LabFailed."""
    trusted = trust(host.certificate)

    def look() -> bytes | None:
        mail = read_mail(host.organisation, trusted, letter.recipient, implicit=implicit)
        return next((one for one in mail if one.endswith(letter.octets)), None)

    return _until(look, f"{letter.message_id} did not arrive at {letter.recipient.address}")


def in_queue(host: Host, letter: Letter, *, finished: bool, attempts: int = 0) -> dict[str, Any]:
    """What the host's queue has of its recipient, with ``id``; raises LabFailed."""

    def look() -> dict[str, Any] | None:
        options = ["--finished"] if finished else []
        for message in json.loads(host.run("queue", "list", letter.recipient.address, "--json", *options)):
            for recipient in message["recipients"]:
                if message["sender"] == letter.sender.address and recipient["attempts"] >= attempts:
                    return {**recipient, "id": message["id"]}
        return None

    return _until(look, f"{letter.message_id} is not as expected in the queue of {host.name}")


def story(host: Host, letter: Letter, ending: str = "") -> str:
    """What the host's journal tells; it is written in batches, so ``ending`` may be a moment late."""

    def look() -> str | None:
        try:
            told = host.run("trace", letter.message_id)
        except LabFailed:
            return None
        return told if ending in told else None

    return _until(look, f"the journal of {host.name} does not tell of {letter.message_id}")


def _until(look: Callable[[], T | None], failure: str) -> T:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise LabFailed(f"{failure}, within {ARRIVAL_SECONDS:.0f} s.")
        time.sleep(0.2)
    return found
