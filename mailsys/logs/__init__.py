"""The log: what the server says of itself, one event a line, as text or as JSON."""

from mailsys.logs.output import LogOutput
from mailsys.logs.sink import CannotLog, FileSink, StreamSink

__all__ = ["CannotLog", "FileSink", "LogOutput", "StreamSink"]
