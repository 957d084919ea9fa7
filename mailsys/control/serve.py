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
    # Until the host listens to it, either would end the process; what they ask for is about to be done.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    configuration = read_configuration(arguments)
    from twisted.internet import reactor
    from twisted.logger import globalLogBeginner

    from mailsys.logs import CannotLog, LogOutput
    from mailsys.process import keep_steady_time
    from mailsys.service import CannotStart, MailHost, log_sink

    running: Any = reactor
    keep_steady_time(running)
    try:
        logs = LogOutput(configuration.log, log_sink(configuration, sys.stdout))
        globalLogBeginner.beginLoggingTo([logs], redirectStandardIO=False)
        host = MailHost(configuration, running, give_up=running.stop, logs=logs)
        host.startService()
    except (CannotStart, CannotLog) as reason:
        raise CannotDo(str(reason)) from None
    running.addSystemEventTrigger("before", "shutdown", host.stopService)
    running.run()
    if host.failure:
        raise CannotDo(host.failure)
    return 0
