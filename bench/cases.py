"""Which cases there are to measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.options import Options
from bench.plan import Plan, Pop3Plan, SmtpPlan
from bench.pop3 import LOGIN, RETR, VISIT
from bench.smtp import MESSAGE
from bench.target import Login, Target

LATER_VISITS = 10
# What gives a case about a second: enough for the clock ticks that the CPU is counted in.
ONE_SESSION_MESSAGES, MANY_SESSIONS_MESSAGES = 400, 2000
LARGE_KB, LARGE_SHARE = 50, 4  # of large messages a quarter as many


@dataclass(frozen=True, slots=True)
class Case:
    """One load.  Of ``steps`` the first is counted, and wanted so many times; the others are only shown."""

    test: str
    name: str
    plan: Plan
    steps: tuple[str, ...]
    wanted: int


def cases(options: Options, target: Target) -> Iterator[Case]:
    """All that were asked for, in order."""
    for test in options.tests:
        if test in ("smtp", "lmtp"):
            yield from _smtp_cases(test, options, target)
        elif test == "pop3":
            yield from _pop3_cases(options, target)


def _smtp_cases(test: str, options: Options, target: Target) -> Iterator[Case]:
    host, port = target.ports[test]
    for size_kb in options.sizes_kb:
        for sessions in options.sessions:
            messages = options.messages or _messages(size_kb, sessions)
            plan = SmtpPlan(
                host,
                port,
                recipients=target.recipients,
                messages=messages,
                sessions=sessions,
                size_octets=size_kb * 1024,
                seconds=options.seconds,
                keep=options.keep,
                is_lmtp=test == "lmtp",
                key=target.key,
            )
            name = f"{size_kb} kB, {_counted(sessions, 'session')}{', kept' if options.keep else ''}"
            yield Case(test, name, plan, (MESSAGE,), messages)


def _messages(size_kb: int, sessions: int) -> int:
    messages = ONE_SESSION_MESSAGES if sessions == 1 else MANY_SESSIONS_MESSAGES
    return messages // LARGE_SHARE if size_kb >= LARGE_KB else messages


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _pop3_cases(options: Options, target: Target) -> Iterator[Case]:
    """Of a server that is not ours we do not know how full the mailbox is."""
    is_ours = target.folders is not None
    box = f"{options.mailbox:,} messages" if is_ours else "mailbox"
    steps = (VISIT, LOGIN, "STAT", "UIDL", "LIST")
    yield Case("pop3", f"{box}, first visit", _visits(options, target, target.lister, 1), steps, 1)
    later = _visits(options, target, target.lister, LATER_VISITS)
    yield Case("pop3", f"{box}, later visits", later, steps, LATER_VISITS)
    name = "fetch messages of 10 kB" if is_ours else "fetch messages"
    fetch = _visits(options, target, target.retriever, 1, options.retrievals)
    yield Case("pop3", name, fetch, (RETR,), options.retrievals if is_ours else 1)


def _visits(options: Options, target: Target, login: Login, visits: int, retrievals: int = 0) -> Plan:
    host, port = target.ports["pop3"]
    return Pop3Plan(host, port, login.user, login.password, visits, retrievals, options.seconds)
