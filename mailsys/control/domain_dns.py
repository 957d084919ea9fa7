"""``mailsys domain records`` and ``domain check``: what to publish in DNS, and whether it is there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mailsys.config import Configuration
from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.domain_keys import opened_keys, our_domain
from mailsys.control.offline import print_json
from mailsys.message.address import display_domain

if TYPE_CHECKING:
    from mailsys.publish.comparison import Finding
    from mailsys.publish.wanted import Host, Key, Record

CHECK_SECONDS = 40.0
_MARKS = {"ok": "ok", "missing": "MISSING", "wrong": "WRONG", "unknown": "UNKNOWN"}


def add_parsers(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``records`` and ``check`` to those of ``domain``."""
    records = actions.add_parser("records", help="print what to publish in DNS, as lines of a zone")
    records.set_defaults(run=run_records)
    checker = actions.add_parser(
        "check",
        help="compare DNS with what should be published",
        description="Exit status: 0 when all that mail needs is right, else 1.",
    )
    checker.set_defaults(run=run_check)
    for parser in (records, checker):
        parser.add_argument("domain", metavar="DOMAIN")
        parser.add_argument("--json", action="store_true", help="as JSON")


def run_records(arguments: argparse.Namespace) -> int:
    """Print the records."""
    from mailsys.publish.host import host_of
    from mailsys.publish.wanted import wanted_records

    configuration = read_configuration(arguments)
    domain = our_domain(configuration, arguments.domain)
    host = host_of(configuration)
    records = wanted_records(domain, host, keys_of(configuration, domain))
    if arguments.json:
        print_json([_as_json(record) for record in records])
        return 0
    for record in records:
        print(f"; {record.purpose}\n{record.line}")
    for hint in _hints(host):
        print(f"; {hint}")
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Compare, and say what is to be done."""
    configuration = read_configuration(arguments)
    domain = our_domain(configuration, arguments.domain)
    findings = at_once(_compared(configuration, domain))
    if arguments.json:
        print_json([_finding_as_json(finding) for finding in findings])
    else:
        for finding in findings:
            for line in _in_words(finding):
                print(line)
        _conclude(domain, findings)
    return 1 if any(finding.is_bad for finding in findings) else 0


def keys_of(configuration: Configuration, domain: str) -> list[Key]:
    """The DKIM keys of a domain, those that sign first; raises CannotDo."""
    from mailsys.publish.wanted import published_keys

    if not configuration.dkim.sign:
        return []
    with opened_keys(configuration, domain) as files:
        return published_keys(files.read(domain))


def _hints(host: Host) -> Iterator[str]:
    if not host.addresses:
        yield f"{host.hostname} needs an A record, or AAAA, with the address of this host"
        yield f"and that address must point back to {host.hostname} (PTR): your provider sets that"


def _as_json(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.kind,
        "value": record.value,
        "line": record.line,
        "need": record.need.value,
        "purpose": record.purpose,
    }


# ---------------------------------------------------------------------- check


async def _compared(configuration: Configuration, domain: str) -> list[Finding]:
    from twisted.internet import reactor
    from twisted.internet.defer import CancelledError, Deferred, TimeoutError

    from mailsys.net.dns.resolver import open_resolver
    from mailsys.own_records import spf_check
    from mailsys.publish.comparison import compare
    from mailsys.publish.host import host_of
    from mailsys.threads import NoThreads

    clock: Any = reactor
    dns = configuration.dns
    resolver = open_resolver(clock, NoThreads(), dns.servers, trust_ad=dns.trust_ad)
    host, keys = host_of(configuration), keys_of(configuration, domain)
    comparing = Deferred.fromCoroutine(
        compare(domain, host, keys, resolver, spf_check(resolver, configuration.hostname))
    )
    try:
        return await comparing.addTimeout(CHECK_SECONDS, clock)
    except (CancelledError, TimeoutError):
        raise CannotDo(f"DNS did not answer within {CHECK_SECONDS:.0f} seconds; try again.") from None


def _in_words(finding: Finding) -> Iterator[str]:
    record = finding.record
    shown = "".join(f"  {one}" for one in finding.found) if record.kind != "TXT" else ""
    yield f"{_MARKS[finding.state.value]:<8} {record.kind:<4} {record.name}{shown}"
    if not finding.words:
        return
    yield f"         {finding.words}"
    if record.kind == "TXT":
        yield from (f'         found:   "{text}"' for text in finding.found)
    if finding.state.value != "unknown":
        yield f"         publish: {_to_publish(finding)}"


def _to_publish(finding: Finding) -> str:
    record = finding.record
    if record.value:
        return record.line
    return f"{record.name}. A (the address of this host)"


def _conclude(domain: str, findings: Sequence[Finding]) -> None:
    shown = display_domain(domain)
    bad = sum(finding.is_bad for finding in findings)
    if bad:
        words = "One record is" if bad == 1 else f"{bad} records are"
        print(f"{words} to be mended in DNS for {shown}.", file=sys.stderr)
    else:
        print(f"All that mail for {shown} needs is published.")


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        **_as_json(finding.record),
        "state": finding.state.value,
        "found": list(finding.found),
        "words": finding.words,
    }
