"""The open ports as one: what happens when one of them makes trouble."""

from types import SimpleNamespace

from twisted.internet.defer import Deferred, succeed

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
