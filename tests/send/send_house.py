"""A delivery with everything real but DNS, and the servers it speaks with."""

import datetime
import os
import random
import shutil
import ssl
import tempfile

from scripted import ScriptedServer
from twisted.internet import reactor
from twisted.internet.defer import Deferred as Later
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from zones import ZoneResolver

from mailsys.control.self_signed import write_self_signed
from mailsys.message.address import Address, parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Failed
from mailsys.net.client_tls import ClientTLS
from mailsys.net.house import Patience
from mailsys.send.addresses import OwnHost
from mailsys.send.deadlines import Deadlines
from mailsys.send.delivery import Delivery
from mailsys.send.exchange import Exchanges
from mailsys.send.kept import KeptDialogues
from mailsys.send.opening import Opener
from mailsys.send.routes import Routes
from mailsys.threads import NoThreads

ANN = Address("ann", "sender.test")
BOB, EVE = Address("bob", "example.test"), Address("eve", "example.test")
LETTER = b"Subject: x\r\n\r\n.dot\r\nbody\r\n"
SECONDS = 10
NONCE = b"not at all random."
ZONE = """
example.test. 60 MX 10 mx.test.
mx.test. 60 A 127.0.0.1
"""


class SendTestCase(TestCase):
    """Delivers with the real reactor to servers that a test scripts."""

    timeout = 30

    def serve(self, script, address="127.0.0.1", port=0):
        server = ScriptedServer(script, address, port)
        self.addCleanup(deferToThread, server.close)
        return server

    def delivery(self, port, zone=ZONE, *, seconds=SECONDS, own=None, routes=None, roots="", **settings):
        """A delivery whose MX hosts listen on ``port``; each step may take ``seconds``."""
        self.resolver = ZoneResolver(zone)
        own = own or OwnHost("client.test")
        exchanges = Exchanges(
            self.resolver, own, random.Random(1).shuffle, port, settings.pop("allow_private", True)
        )
        patience = Patience(seconds, seconds)
        deadlines = Deadlines(
            dict.fromkeys(Deadlines().seconds, seconds), patience=patience, **settings.pop("deadlines", {})
        )
        opener = Opener(reactor, own.name, ClientTLS(roots), deadlines, NoThreads(), lambda: NONCE)
        self.kept = KeptDialogues(reactor, settings.pop("limits", None))
        assert not settings
        delivery = Delivery(routes or Routes(), exchanges, opener, self.kept, NoThreads())
        self.all_kept.append(self.kept)
        self.addCleanup(self.end)
        return delivery

    def setUp(self):
        self.all_kept = []

    def mktemp(self):
        """A path at which there is nothing yet, and nothing is left."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        return os.path.join(folder, "file")

    def end(self):
        return Later.fromCoroutine(self._end_all())

    async def _end_all(self):
        for kept in self.all_kept:
            kept.quit_all()
        while any(map(_is_ours, reactor.getReaders())):
            await deferLater(reactor, 0.01)

    async def deliver(self, delivery, *recipients, letter=LETTER, content=None, **envelope):
        """Deliver one letter; the attempts by recipient."""
        recipients = recipients or (BOB,)
        made = Envelope("m1", envelope.pop("sender", ANN), recipients, **envelope)
        return await delivery.deliver(made, content or MemoryContent((letter,)), recipients)

    def certificate(self, *names):
        """A server's context, and the PEM file in which its certificate can be trusted."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        write_self_signed(folder, list(names), datetime.datetime.now(datetime.UTC))
        paths = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*paths)
        return context, paths[0]


def _is_ours(reader):
    protocol = getattr(reader, "protocol", None)
    protocol = getattr(protocol, "wrappedProtocol", protocol)
    return type(protocol).__name__ == "OutgoingConnection"


def assert_delivered(attempt):
    assert isinstance(attempt.outcome, Delivered), attempt


def assert_deferred(attempt, enhanced):
    assert isinstance(attempt.outcome, Deferred), attempt
    assert attempt.outcome.reply.enhanced == enhanced, attempt


def assert_failed(attempt, enhanced):
    assert isinstance(attempt.outcome, Failed), attempt
    assert attempt.outcome.reply.enhanced == enhanced, attempt


def address(text):
    return parse_address(text)
