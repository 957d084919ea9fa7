"""``twistd mailsys`` and ``twist mailsys``: options, and the service they start."""

from __future__ import annotations

import os
import signal

from twisted.application.service import IService
from twisted.python import usage

from mailsys.config import ConfigurationError, load
from mailsys.control.command import CannotDo, find_configuration
from mailsys.control.configuration import known_judges


class Options(usage.Options):
    """What stands behind ``mailsys`` on twistd's command line."""

    synopsis = "[options]"
    longdesc = "Serves mail as the configuration says.  'mailsys init' makes one."
    optParameters = (["config", "c", None, "the configuration (default: as for the command mailsys)"],)

    def postOptions(self) -> None:
        """Read the configuration while mistakes can still be told plainly."""
        try:
            self["configuration"] = load(find_configuration(self["config"]), known_judges())
        except (ConfigurationError, CannotDo) as error:
            raise usage.UsageError(str(error)) from error


def makeService(options: Options) -> IService:
    """The whole host, not yet started."""
    from twisted.internet import reactor

    from mailsys.service import MailHost

    return MailHost(options["configuration"], reactor, give_up=_end_by_signal)


def _end_by_signal() -> None:
    """Stop in order; ``twist`` and ``twistd`` tell of an end by signal in their exit status, of no other."""
    os.kill(os.getpid(), signal.SIGTERM)
