"""Tells of logins in plain sentences: may this account log in, from where did it, what was refused, why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from mailsys.accounts.history.rows import Failures, Seen, StoredBlock

_TIMES = ("first", "last", "since", "until")


@dataclass(frozen=True, slots=True)
class LoginStory:
    """All that is known of ``subject``: an account, a name that is none, a network, or everybody.

    ``state`` says what there is to know before anything was tried.
    """

    subject: str
    state: str
    seen: Sequence[Seen]
    failures: Sequence[Failures]
    blocks: Sequence[StoredBlock]

    def as_json(self) -> dict[str, Any]:
        """For programs; times are in UTC."""
        return {
            "subject": self.subject,
            "state": self.state,
            "logins": [_row(row) for row in self.seen],
            "failures": [_row(row) for row in self.failures],
            "blocks": [_row(row) for row in self.blocks],
        }

    def tell(self, zone: tzinfo | None = None) -> Iterator[str]:
        """Lines; times are local, or those of ``zone``."""
        if self.state:
            yield self.state
        if self.seen:
            yield "Logged in, the last at the end:"
            for seen in self.seen:
                yield f"  {_seen(seen, self.subject, zone)}"
        if self.failures:
            yield "Refused, the last at the end:"
            for failures in self.failures:
                yield f"  {_failures(failures, self.subject, zone)}"
        for block in self.blocks:
            yield _block(block, zone)
        if not (self.seen or self.failures or self.blocks):
            yield "No login was tried that is still remembered."
        if self.blocks and self.subject:
            yield f"To lift {_them(self.blocks)}: mailsys logins {self.subject} --forgive"


def _row(row: Seen | Failures | StoredBlock) -> dict[str, Any]:
    return {
        name: datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds") if name in _TIMES else value
        for name, value in asdict(row).items()
    }


def _seen(seen: Seen, subject: str, zone: tzinfo | None) -> str:
    program = f", a program that calls itself {seen.program}" if seen.program else ""
    return (
        f"{_when(seen.last, zone)}  {_who(seen.account, subject)}{seen.service.upper()} from {seen.address},"
        f" {_way(seen.mechanism, seen.tls)}{program}; {_times(seen.logins)} from {seen.network}"
        f" since {_when(seen.first, zone)}."
    )


def _failures(row: Failures, subject: str, zone: tzinfo | None) -> str:
    since = f" since {_when(row.first, zone)}" if row.failures > 1 else ""
    return (
        f"{_when(row.last, zone)}  {_who(row.account or row.name, subject)}{row.service.upper()}"
        f" from {row.address}, {_mechanism(row.mechanism)}: {row.why};"
        f" {_times(row.failures)} from {row.network}{since}."
    )


def _block(block: StoredBlock, zone: tzinfo | None) -> str:
    until = _when(block.until, zone)
    if block.kind == "account":
        return (
            f"Until {until} nobody can log in as {block.subject} from a network where it has not"
            " logged in before: there were too many wrong passwords."
        )
    return (
        f"Until {until} the {block.kind} {block.subject} is blocked, after too many wrong passwords, the last"
        f" for {block.name}: only accounts that have logged in from its network before get in."
    )


def _them(blocks: Sequence[StoredBlock]) -> str:
    return "this block" if len(blocks) == 1 else "these blocks"


def _who(account: str, subject: str) -> str:
    return "" if account == subject else f"{account}, "


def _way(mechanism: str, tls: str) -> str:
    return f"{_mechanism(mechanism)} {f'over {tls}' if tls else 'without TLS'}"


def _mechanism(mechanism: str) -> str:
    return "with a password" if mechanism == "password" else f"with {mechanism}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _when(at: float, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"
