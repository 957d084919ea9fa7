"""What a load is to be, and what came of it; both cross to the generator's process as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class SmtpPlan:
    """``messages`` messages of ``size_octets`` each, in ``sessions`` sessions at a time.

    Each message goes to the next of ``recipients``.  With ``keep`` a session sends many on one
    connection, else each has its own.  After ``seconds`` what is not done counts as failed.  With a ``key``
    (PEM) each message is signed before the clock runs.
    """

    host: str
    port: int
    recipients: tuple[str, ...]
    messages: int
    sessions: int
    size_octets: int
    seconds: float
    keep: bool = False
    is_lmtp: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Pop3Plan:
    """``visits`` one after another: log in, STAT, and either UIDL and LIST or ``retrievals`` times RETR."""

    host: str
    port: int
    user: str
    password: str
    visits: int
    retrievals: int
    seconds: float


Plan = SmtpPlan | Pop3Plan
KINDS: Mapping[str, type[Plan]] = {"smtp": SmtpPlan, "pop3": Pop3Plan}


def write_plan(plan: Plan) -> str:
    """As JSON, for :func:`read_plan`."""
    kind = next(kind for kind, plan_type in KINDS.items() if type(plan) is plan_type)
    return json.dumps({"kind": kind, **asdict(plan)})


def read_plan(text: str) -> Plan:
    """What :func:`write_plan` wrote."""
    values = json.loads(text)
    return KINDS[values.pop("kind")](**values)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the steps of one kind took; ``seconds`` is from the first's beginning to the last's end."""

    count: int
    seconds: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load did.  ``troubles`` are the first few reasons why something failed."""

    timings: Mapping[str, Timing]
    troubles: tuple[str, ...]
    seconds: float
    cpu_seconds: float


def write_outcome(outcome: Outcome) -> str:
    """As JSON, for :func:`read_outcome`."""
    return json.dumps(asdict(outcome))


def read_outcome(text: str) -> Outcome:
    """What :func:`write_outcome` wrote."""
    values = json.loads(text)
    timings = {step: Timing(**timing) for step, timing in values.pop("timings").items()}
    return Outcome(timings=timings, troubles=tuple(values.pop("troubles")), **values)
