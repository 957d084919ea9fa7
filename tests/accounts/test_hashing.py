"""The queue for hashes: bounded, and fair to networks and to those who are known."""

import pytest
from login_house import OWN, LoginCase
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from waiting import WaitingWorkers

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.hashing import MOST_KNOWN, MOST_OF_A_STRANGE_NETWORK, MOST_STRANGERS, HashingQueue
from mailsys.interfaces import LoginFault, LoginUnavailable
from mailsys.message.address import Address
from mailsys.threads import NoThreads


class QueueTests(SynchronousTestCase):
    def setUp(self):
        self.workers = WaitingWorkers()
        self.queue = HashingQueue(self.workers, at_once=1)
        self.done = []

    def ask(self, network, *, known=False, word=None):
        word = word or network
        return Deferred.fromCoroutine(self.queue.run(network, known, self.done.append, word))

    @pytest.mark.row(21)
    def test_networks_take_turns(self):
        """Row 21: one who asks for much is not served before one who asks for little."""
        for number in range(10):
            self.ask("loud", word=f"loud{number}")
        self.ask("quiet")
        self.workers.work_off()
        assert self.done.index("quiet") <= 2
        assert len(self.done) == 11

    @pytest.mark.row(21)
    def test_strangers_do_not_keep_out_who_is_known(self):
        """Row 21: their room may be full of a thousand networks; the others have one of their own."""
        refused = 0
        for number in range(1000):
            asked = self.ask(f"stranger{number}")
            refused += asked.called
            asked.addErrback(lambda failure: failure.trap(LoginUnavailable))
        assert refused == 1000 - MOST_STRANGERS - 1
        for number in range(10):
            self.ask("home", known=True, word=f"home{number}")
        self.workers.work_off()
        assert self.done.index("home9") <= 21  # every other turn is theirs
        assert len(self.done) == 1 + MOST_STRANGERS + 10

    def test_a_network_has_its_share_of_the_room(self):
        asked = [self.ask("loud") for _ in range(MOST_OF_A_STRANGE_NETWORK + 1)]
        self.failureResultOf(self.ask("loud"), LoginUnavailable)
        self.ask("quiet")
        self.workers.work_off()
        assert all(one.called for one in asked)
        assert "quiet" in self.done
        self.ask("loud")  # there is room again

    def test_work_that_fails_gives_its_place_back(self):
        def fail():
            raise ValueError

        broken = Deferred.fromCoroutine(self.queue.run("x", False, fail))
        self.workers.waiting[0][2].errback(ValueError())
        self.failureResultOf(broken, ValueError)
        self.workers.waiting.clear()
        self.ask("y")
        self.workers.work_off()
        assert self.done == ["y"]


class BurstTests(LoginCase):
    """All programs of an office come back after a restart."""

    people = tuple(Address(f"user{number}", "a.test") for number in range(100))
    accounts = tuple(NewAccount(address, OWN) for address in people)

    def test_all_of_an_office_get_in_and_a_hash_is_computed_once(self):
        """Each opens three connections at once; they come from networks that their accounts know."""
        for address in self.people:
            self.history._known[str(address)] = {"192.0.2.0/24"}
        workers = WaitingWorkers()
        self.build(workers)
        logins = [self.login(str(address)) for address in self.people for _ in range(3)]
        workers.work_off()
        assert {self.successResultOf(login).address for login in logins} == set(self.people)
        assert len(self.compared) == len(self.people) < MOST_KNOWN

    def test_one_too_many_is_told_to_come_again(self):
        workers = WaitingWorkers()
        self.build(workers)
        logins = [self.login(str(self.people[n]), host=f"198.51.{n}.1") for n in range(MOST_STRANGERS + 3)]
        assert self.outcome(logins[-1]) is LoginFault.UNAVAILABLE
        workers.work_off()
        assert all(self.successResultOf(login) for login in logins[:-1])
        self.build(NoThreads())
        assert self.address("user99@a.test", host="198.51.99.1") == "user99@a.test"
