"""What a dry run has found: in words for people, and as JSON for programs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from mailsys.control.dry_run import DryRun, Said
from mailsys.control.findings_json import findings_as_json
from mailsys.interfaces import Disposition, Verdict
from mailsys.journal.phrases import size_in_words
from mailsys.journal.printable import printable
from mailsys.message.envelope import render_path
from mailsys.message.reply import OK


def as_json(dry_run: DryRun) -> dict[str, Any]:
    """The form that programs rely on."""
    verdict = dry_run.verdict
    return {
        "recipients": [
            {
                "address": said.address,
                "outcome": said.outcome,
                "reply": str(said.reply),
                "accounts": [str(account) for account in said.accounts],
                **({"delivery": said.delivery} if said.delivery else {}),
                **_forwarding(said),
                "why": list(said.why),
                "near": list(said.near),
            }
            for said in dry_run.said
        ],
        "checked": dry_run.checked,
        **findings_as_json(dry_run.session.findings),
        "verdict": {
            "action": verdict.disposition.name.lower(),
            "reply": str(verdict.reply or OK),
            "reason": verdict.reason,
        },
    }


def _forwarding(said: Said) -> dict[str, Any]:
    if not said.forwarded:
        return {}
    return {"forwarded": [str(address) for address in said.forwarded], "sent_as": str(said.sent_as or "")}


def as_text(dry_run: DryRun) -> str:
    """The form for people."""
    return "\n".join([printable(line) for line in _lines(dry_run)])


def _lines(dry_run: DryRun) -> Iterator[str]:
    peer = f"{dry_run.session.greeting} [{dry_run.session.peer.host}]"
    size = size_in_words({"size": dry_run.octets})
    what = f"A message of {size}" if size else "A message"
    yield f"{what} from {render_path(dry_run.sender)}, handed in by {peer} at {time.strftime('%H:%M')}:"
    for said in dry_run.said:
        yield f"  {said.address} {_in_words(said)}"
        yield from (f"    {why}." for why in (*said.why, *said.rooms) if why)
        if said.near:
            yield f"    Is {' or '.join(said.near)} meant?"
    for checked in dry_run.checked:
        yield f"  Checked: {checked}."
    if dry_run.octets is not None:
        limit = size_in_words({"size": dry_run.configuration.limits.message_size})
        yield f"  Its size is {size}; up to {limit} are taken (limits.message_size)."
    yield f"  {_verdict_in_words(dry_run.verdict)}"


def _in_words(said: Said) -> str:
    if said.reply.is_positive:
        return f"would be {said.where}."
    return f'would be {said.outcome}; the client is told "{said.reply}".'


def _verdict_in_words(verdict: Verdict) -> str:
    told = f' The client is told "{verdict.reply}".' if verdict.reply else ""
    reason = f" ({verdict.reason})" if verdict.reason else ""
    match verdict.disposition:
        case Disposition.ACCEPT:
            return "No judge objects."
        case Disposition.JUNK:
            return f"It would be delivered into the folder Junk{reason}."
        case Disposition.DEFER:
            return f"It would be put off{reason}.{told}"
        case Disposition.REJECT:
            return f"It would be refused{reason}.{told}"
