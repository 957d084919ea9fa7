"""What tests of plugins share: services without a server, and answers of coroutines."""

from fakes import MemoryJournal
from plugin_makers import installed
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailsys.config.plugins import PluginTable
from mailsys.config.schema import Configuration, Judge
from mailsys.extensions.guard import Guard
from mailsys.extensions.plugins import Plugins
from mailsys.interfaces import NoSettings, Peer, Services, Session
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.threads import NoThreads

ANN = parse_address("ann@example.org")
BOB = parse_address("bob@example.org")
STRANGER = Session("s1", Peer("198.51.100.1", 40000, "smtp"))
ENVELOPE = Envelope("s1.1", parse_address("friend@client.example"), (ANN,))
CONTENT = MemoryContent([b"From: friend@client.example\r\nSubject: Hello\r\n\r\nText\r\n"])


def result_of(coroutine):
    """What a coroutine that waits for nothing returns or raises."""
    outcome = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    assert outcome, "it still waits"
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


def guard_of(name="acme", clock=None):
    return Guard(name, f"/somewhere/{name}.py", 30.0, clock or Clock())


def services_of(name, folder="/nowhere", clock=None):
    return Services(
        name, "mail.example.org", folder, clock or Clock(), lambda: 0.0, NoThreads(), MemoryJournal()
    )


def configured(*judges, **tables):
    """A configuration that names judges, with the settings of each."""
    tables = {name: PluginTable(name, 30.0, NoSettings()) for name in judges} | {
        name: PluginTable(name, 30.0, settings) for name, settings in tables.items()
    }
    return Configuration(hostname="mail.example.org", judge=Judge(judges=judges), plugins=tables)


def plugins_of(*makers, clock=None):
    clock = clock or Clock()
    return Plugins(installed(*makers), lambda name: services_of(name, clock=clock), clock)
