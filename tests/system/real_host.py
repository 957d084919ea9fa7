"""Makes real hosts on loopback, with free ports."""

import contextlib
import io
import os
import tempfile
from unittest import mock

import stall_probe

from mailsys.control import main
from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation, Person
from mailsys.lab.ports import choose_port_base

# Loopback has many addresses: with one of its own, a test run cannot take ports from another.
ADDRESS = f"127.20.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


class QuickHost(Host):
    """Its commands run in this process, which spares half a second each; its server is a process as ever."""

    def _mailsys(self, *arguments, told=""):
        said, mistakes = io.StringIO(), io.StringIO()
        with (
            tempfile.TemporaryFile("w+") as words,
            mock.patch("sys.stdin", words),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(mistakes),
        ):
            words.write(told)
            words.seek(0)
            try:
                status = main(arguments)
            except SystemExit as wrong_usage:
                status = wrong_usage.code
        if status:
            raise LabFailed(f"'mailsys {' '.join(arguments)}' failed:\n{mistakes.getvalue().strip()}")
        return said.getvalue()


def new_host(folder, *options, people=2):
    """A host that does not run yet, with accounts user0@system.test and so on; options are for init."""
    port_base = choose_port_base([ADDRESS], None)
    everyone = tuple(Person(f"user{number}@system.test", f"secret {number}") for number in range(people))
    host = QuickHost(Organisation("system", "system.test", everyone, ADDRESS, port_base), folder)
    host.make(*options)
    return host


def put_probe(host):
    """Let the host, once it is started, be watched from inside; returns the probe (``stall_probe``)."""
    probe = stall_probe.StallProbe(host.directory)
    probe.make()
    host.program = (stall_probe.__file__, str(host.directory))
    return probe
