"""``twistd mailsys`` and ``twist mailsys``: options, and the service they start."""

from __future__ import annotations

import os
import pwd
import signal
import sys
from typing import Any

from twisted.application.service import IService
from twisted.logger import LogLevel
from twisted.python import usage

from mailsys.config import Configuration, ConfigurationError, load
from mailsys.control.command import CannotDo, find_configuration
from mailsys.control.configuration import installed


class Options(usage.Options):
    """What stands behind ``mailsys`` on twistd's command line."""

    synopsis = "[options]"
    longdesc = "Serves mail as the configuration says.  'mailsys init' makes one."
    optParameters = (["config", "c", None, "the configuration (default: as for the command mailsys)"],)

    def postOptions(self) -> None:
        """Read the configuration while mistakes can still be told plainly."""
        try:
            configuration = load(find_configuration(self["config"]), installed())
            self["configuration"] = configuration
            self["user"] = user_of_twistd(getattr(self, "parent", {}), configuration.process.user)
        except (ConfigurationError, CannotDo) as error:
            raise _end(error) from error


def user_of_twistd(options: Any, configured: str) -> str:
    """Whom the process becomes, by ``--uid`` or by ``[process] user``; raises CannotDo when they disagree."""
    uid, gid = options.get("uid"), options.get("gid")
    if options.get("euid"):
        raise CannotDo("--euid would let the server become root again at any time: leave it out.")
    if uid is None:
        if gid is not None:
            raise CannotDo(
                "--gid has no effect without --uid: name the user, whose groups it gets, or neither."
            )
        return configured
    name = _name_of(uid)
    if os.geteuid() not in (0, uid):
        raise CannotDo(f"--uid {name}: only root may become {name}; start twistd as root, or as {name}.")
    if configured not in ("", name):
        raise CannotDo(
            f'--uid {name} and [process] user = "{configured}" contradict each other:'
            " name the same user, or leave one of them out."
        )
    return name


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise CannotDo(f"--uid {uid}: this machine has no such user.") from None


def makeService(options: Options) -> IService:
    """The whole host, with its ports open, but not started: twistd makes a daemon of it only afterwards."""
    from twisted.internet import reactor

    from mailsys.logs import CannotLog
    from mailsys.process import CannotBecome, keep_steady_time
    from mailsys.service import CannotStart, MailHost

    program = getattr(options, "parent", {})
    keep_steady_time(reactor)
    try:
        logs = _logs(program, options["configuration"], options["user"])
        host = MailHost(options["configuration"], reactor, _end_by_signal, options["user"], logs)
        host.prepare()
    except (CannotStart, CannotLog, CannotBecome) as reason:
        raise _end(reason) from None
    return host


def _logs(program: Any, configuration: Configuration, user: str) -> Any:
    """The LogOutput; None when twistd was told by options of its own how to log.

    twist and twistd have observers for themselves, which ours takes the place of.
    """
    from mailsys.logs import FileSink, LogOutput
    from mailsys.service import log_sink

    if program.get("logger") or program.get("syslog"):
        return None
    settings = configuration.log
    if "fileLogObserverFactory" in program:  # twist
        logs = LogOutput(settings, log_sink(configuration, program["logFile"], user))
        program["fileLogObserverFactory"] = lambda _file: logs
        program["logLevel"] = LogLevel.debug  # ours are in [log]
        return logs
    path = program.get("logfile") or ("-" if program.get("nodaemon") else "twistd.log")
    if settings.file or path == "-":
        return LogOutput(settings, log_sink(configuration, sys.stdout, user))
    return LogOutput(settings, FileSink(os.path.abspath(path), _owner(user)))


def _owner(user: str) -> tuple[int, int]:
    from mailsys.process import user_named

    entry = user_named(user)
    return entry.pw_uid, entry.pw_gid


def _end(reason: Exception) -> SystemExit:
    """One sentence on standard error, and exit status 1."""
    return SystemExit(f"mailsys: {reason}")


def _end_by_signal() -> None:
    """Stop in order; ``twist`` and ``twistd`` tell of an end by signal in their exit status, of no other."""
    os.kill(os.getpid(), signal.SIGTERM)
