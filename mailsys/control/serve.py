"""``mailsys serve``: the host in the foreground, as ``twist mailsys --config FILE`` runs it."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``serve``."""
    parser = subcommands.add_parser("serve", help="serve mail in the foreground until SIGTERM or Ctrl-C")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    # Until the host listens to it, it would end the process; what it asks for is about to be done.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    configuration = read_configuration(arguments)
    from twisted.internet import reactor

    from mailsys.service import CannotStart, MailHost

    _begin_logging()
    running: Any = reactor
    host = MailHost(configuration, running, give_up=running.stop)
    try:
        host.startService()
    except CannotStart as reason:
        raise CannotDo(str(reason)) from None
    running.addSystemEventTrigger("before", "shutdown", host.stopService)
    running.run()
    if host.failure:
        raise CannotDo(host.failure)
    return 0


def _begin_logging() -> None:
    """One line an event on standard output."""
    from twisted.logger import FilteringLogObserver, globalLogBeginner, textFileLogObserver

    observer = FilteringLogObserver(textFileLogObserver(sys.stdout), [_speaks_of_mail])  # type: ignore[list-item]
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _speaks_of_mail(event: Any) -> Any:
    """Leave out Twisted's remarks on its own ports."""
    from twisted.logger import PredicateResult

    is_remark = event.get("log_namespace") == "log_legacy" and not event.get("isError")
    return PredicateResult.no if is_remark else PredicateResult.maybe
