"""The open ports as one: what happens when one of them makes trouble."""

import ipaddress
from types import SimpleNamespace

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from mailsys import listeners as listeners_module
from mailsys.config.schema import Configuration, Limits, Receive
from mailsys.listeners import Listeners, OpenPort


class Port:
    """A port that ends in its own way."""

    def __init__(self, stop):
        self.stopListening = stop


def test_a_port_that_cannot_be_closed_does_not_keep_the_others_open():
    closed = []

    def fail():
        raise PermissionError(1, "Operation not permitted", "/run/lmtp")

    def close():
        closed.append(True)
        return succeed(None)

    listeners = Listeners.__new__(Listeners)
    listeners._open = [
        OpenPort(SimpleNamespace(endpoint=name), Port(stop), None)
        for name, stop in (("unix:/run/lmtp", fail), ("tcp:25", close), ("tcp:110", lambda: None))
    ]
    done = []
    Deferred.fromCoroutine(listeners.close()).addCallback(done.append)
    assert done == [None]
    assert closed == [True]


def test_limits_that_were_read_again_are_those_of_the_connections_to_come(monkeypatch):
    """As after SIGHUP: also how many files there may be is looked at anew, and told if they are too few."""
    configuration = Configuration(
        hostname="mail.example.org",
        limits=Limits(connections=500, connections_per_address=3, handshake_seconds=7.0, reply_seconds=8.0),
        receive=Receive(trusted_networks=(ipaddress.ip_network("192.0.2.0/24"),)),
    )
    factory = SimpleNamespace()
    listeners = Listeners(Clock())
    listeners._open = [OpenPort(SimpleNamespace(service="smtp", endpoint="tcp:25"), None, factory)]
    told = []
    monkeypatch.setattr(listeners_module.log, "warn", lambda _format, **words: told.append(words))
    for files, most in ((1_000_000, 500), (400, 236)):
        monkeypatch.setattr(listeners_module, "file_limit", lambda files=files: files)
        listeners.renew(configuration, lambda service: f"talk of {service}")
        rules = listeners._limits.rules
        assert (rules.total, rules.exempt) == (most, configuration.receive.trusted_networks)
        assert rules.allowances["smtp"].open_per_address == 3
        assert rules.allowances["pop3"].open_per_address == 500
        assert (factory.patience.handshake_seconds, factory.patience.reply_seconds) == (7.0, 8.0)
        assert factory.converse == "talk of smtp"
    assert told == [{"wanted": 500, "files": 400, "possible": 236, "needed": 753}]
