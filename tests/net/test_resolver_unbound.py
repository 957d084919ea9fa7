"""The resolver asks Debian's unbound, a program that we did not write (row 46)."""

import shutil
import socket
import subprocess
import tempfile

import pytest
from resolver_contract import ZONE, ResolverContract
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from mailsys.net.dns.resolver import open_resolver
from mailsys.threads import NoThreads

UNBOUND = shutil.which("unbound", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin")

CONFIGURATION = """
server:
    interface: 127.0.0.1
    port: {port}
    do-daemonize: no
    use-syslog: no
    logfile: ""
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: ""
    module-config: "iterator"
    edns-buffer-size: 1232
    max-udp-size: 1232
    local-zone: "test." static
    local-zone: "2.0.192.in-addr.arpa." static
{data}
remote-control:
    control-enable: no
"""
MANY = "\n".join(f"many.test. 300 TXT {'x' * 200}{number:03}" for number in range(100))


def free_port():
    """A port that is free for both."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


@pytest.mark.skipif(not UNBOUND, reason="unbound is not installed")
@pytest.mark.row(46)
class Unbound(ResolverContract, TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        port = free_port()
        lines = [line for line in (ZONE + MANY).splitlines() if line.strip()]
        data = "\n".join(f"    local-data: '{line}'" for line in lines)
        path = f"{cls.folder}/unbound.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(port=port, directory=cls.folder, data=data))
        cls.server = ("127.0.0.1", port)
        cls.process = subprocess.Popen(
            [UNBOUND, "-d", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.communicate(timeout=10)

    async def setUp(self):
        self.resolver = open_resolver(reactor, NoThreads(), [self.server], trust_ad=False)
        await self.until_it_answers()

    async def until_it_answers(self):
        for _ in range(100):
            assert self.process.poll() is None, self.process.stderr.read()
            with socket.socket() as client:
                if client.connect_ex(self.server) == 0:
                    return
            await deferLater(reactor, 0.05)
        raise AssertionError("unbound does not listen")

    async def test_a_large_answer_comes_over_tcp(self):
        assert len((await self.resolver.text("many.test")).records) == 100
