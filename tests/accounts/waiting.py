"""Work that waits until a test lets it be done."""

from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailsys.interfaces import IWorkers


@implementer(IWorkers)
class WaitingWorkers:
    """Workers that do nothing until told."""

    def __init__(self):
        self.waiting = []

    def run(self, function, *arguments):
        self.waiting.append((function, arguments, Deferred()))
        return self.waiting[-1][2]

    def work(self):
        """Do what waits now."""
        waiting, self.waiting = self.waiting, []
        for function, arguments, deferred in waiting:
            deferred.callback(function(*arguments))

    def work_off(self):
        """Do all, and what comes up meanwhile."""
        while self.waiting:
            self.work()
