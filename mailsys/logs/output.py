"""The observer that writes the log as ``[log]`` says."""

from __future__ import annotations

from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    PredicateResult,
)
from zope.interface import implementer

from mailsys.config.schema import Log
from mailsys.logs.lines import is_remark, json_line, text_line
from mailsys.logs.sink import CannotLog, StreamSink

_log = Logger(namespace="mailsys")


@implementer(ILogObserver)
class LogOutput:
    """Called for each event, from any thread; ``configure`` takes other settings for those to come."""

    def __init__(self, settings: Log, sink: StreamSink) -> None:
        self._sink = sink
        self.configure(settings)

    def configure(self, settings: Log) -> None:
        """Take format and levels; the file stays."""
        self._line = json_line if settings.format == "json" else text_line
        levels = LogLevelFilterPredicate(LogLevel.levelWithName(settings.level))
        for namespace, level in settings.levels.items():
            levels.setLogLevelForNamespace(namespace, LogLevel.levelWithName(level))
        self._levels = levels

    def __call__(self, event: LogEvent) -> None:
        """Write the event, if it is wanted."""
        # An event without a level is an old one of Twisted's: only errors of those are wanted.
        if is_remark(event) or ("log_level" in event and self._levels(event) is PredicateResult.no):
            return
        self._sink.write(self._line(event))

    def reopen(self) -> None:
        """After the file was moved away."""
        try:
            self._sink.reopen()
        except CannotLog as reason:
            _log.error("{reason} It goes on in the old file.", reason=str(reason))
        else:
            _log.info("The log begins anew")
