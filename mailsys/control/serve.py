"""``mailsys serve``: the host in the foreground, as ``twist mailsys --config FILE`` runs it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from mailsys.control.command import CannotDo, config_path


def add_parser(subcommands: Any) -> None:
    """Add ``serve``."""
    parser = subcommands.add_parser("serve", help="serve mail in the foreground until SIGTERM or Ctrl-C")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from twisted.internet import reactor
    from twisted.logger import globalLogBeginner, textFileLogObserver

    from mailsys.config import ConfigurationError, load
    from mailsys.judge.builtin import BUILTIN
    from mailsys.service import MailHost

    try:
        configuration = load(config_path(arguments), BUILTIN)
    except ConfigurationError as error:
        raise CannotDo(str(error)) from error
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
    host = MailHost(configuration, reactor)
    host.privilegedStartService()
    host.startService()
    running: Any = reactor
    running.addSystemEventTrigger("before", "shutdown", host.stopService)
    running.run()
    if host.failure:
        raise CannotDo(host.failure)
    return 0
