"""An event as a line, in which nobody but us decides where it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from twisted.logger import LogEvent, LogLevel, formatEvent, formatTime

from mailsys.journal.printable import printable


def text_line(event: LogEvent) -> str:
    """Time, namespace, level and words; the lines of a traceback follow, each behind a tab."""
    head = f"{_moment(event.get('log_time'))} [{_namespace(event)}#{_level(event)}] {_words(event)}"
    return "\n\t".join([head, *_traceback(event)])


def json_line(event: LogEvent) -> str:
    """One JSON object, in ASCII."""
    at = datetime.fromtimestamp(event.get("log_time", 0.0), UTC)
    members: dict[str, Any] = {
        "time": at.isoformat(timespec="milliseconds"),
        "level": _level(event),
        "namespace": _namespace(event),
        "text": _words(event),
    }
    if isinstance(event.get("id"), str):
        members["id"] = printable(event["id"])
    if trace := list(_traceback(event)):
        members["traceback"] = trace
    return json.dumps(members)


def is_remark(event: LogEvent) -> bool:
    """Does Twisted speak of its own ports?"""
    return event.get("log_namespace") == "log_legacy" and not event.get("isError")


def _moment(at: float | None) -> str:
    return "-" if at is None else _second(int(at))


@lru_cache(maxsize=8)
def _second(at: int) -> str:
    """A busy server writes many lines in a second."""
    return formatTime(at)


def _words(event: LogEvent) -> str:
    if event.get("isError") and event.get("log_namespace") == "log_legacy":
        return printable(str(event.get("why") or "Unhandled error"))  # its text is a traceback in itself
    return printable(formatEvent(event))


def _namespace(event: LogEvent) -> str:
    return printable(str(event.get("log_namespace", "-")))


def _level(event: LogEvent) -> str:
    level = event.get("log_level") or (LogLevel.critical if event.get("isError") else LogLevel.info)
    return str(level.name)


def _traceback(event: LogEvent) -> Iterator[str]:
    failure = event.get("log_failure")
    if failure is None:
        return
    try:
        lines = failure.getTraceback().splitlines()
    except Exception as error:
        lines = [f"(the traceback cannot be shown: {type(error).__name__})"]
    yield from map(printable, lines)
