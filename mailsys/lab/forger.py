"""Somebody who writes in the name of others, from an address that is no host of theirs."""

from __future__ import annotations

import smtplib
import time

from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.letter import Letter

ADDRESS = "127.0.1.66"
NAME = "forger.test"
SECONDS = 15.0
_TRIES = 20


def bring(letter: Letter, host: Host) -> list[str]:
    """Bring the letter to the host until it is taken or refused for good; return each different reply.

    Raises smtplib.SMTPException, OSError, LabFailed.
    """
    replies: list[str] = []
    for _ in range(_TRIES):
        code, words = _try(letter, host)
        reply = f"{code} {words}"
        # Of one that counts the seconds down, the first is enough.
        if not replies or reply[:9] != replies[-1][:9]:
            replies.append(reply)
        if code // 100 != 4:
            return replies
        time.sleep(0.5)
    raise LabFailed(f"{host.name} does not decide over {letter.message_id}: {replies[-1]}")


def _try(letter: Letter, host: Host) -> tuple[int, str]:
    """The first reply that is no consent, or the last."""
    where = host.organisation
    with smtplib.SMTP(
        where.address, where.port("smtp"), local_hostname=NAME, timeout=SECONDS, source_address=(ADDRESS, 0)
    ) as client:
        client.ehlo()
        code, words = client.mail(letter.sender.address)
        if code == 250:
            code, words = client.rcpt(letter.recipient.address)
        if code == 250:
            code, words = client.data(letter.octets)
        return code, words.decode(errors="replace")
