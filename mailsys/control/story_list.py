"""Many stories, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import JournalEvent
from mailsys.journal.moments import day_of, moment_of, zone_of
from mailsys.journal.printable import bounded, printable
from mailsys.journal.summary import Summary, summarise

_WIDTHS = {"sender": 28, "recipients": 28, "subject": 30, "outcome": 72}


def print_list(stories: Sequence[Sequence[JournalEvent]]) -> None:
    """A table with a line for each day; the newest last, in the order in which they came in."""
    summaries = [summarise(events) for events in stories]
    rows = [_row(summary) for summary in summaries]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    day = ""
    for summary, row in zip(summaries, rows, strict=True):
        moment = moment_of(summary.at)
        if (today := f"{day_of(moment)}{'' if day else zone_of(moment)}") != day:
            print(today)
            day = today.removesuffix(zone_of(moment))
        print("  " + "  ".join([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]).rstrip())


def _row(summary: Summary) -> list[str]:
    return [
        f"{moment_of(summary.at):%H:%M:%S}",
        printable(summary.id),
        _cell(summary.sender, "sender"),
        f"-> {_cell(summary.recipients, 'recipients')}" if summary.recipients else "",
        f'"{_cell(summary.subject, "subject")}"' if summary.subject else "",
        _cell(summary.outcome, "outcome"),
    ]


def _cell(text: str, column: str) -> str:
    return bounded(printable(text), _WIDTHS[column])
