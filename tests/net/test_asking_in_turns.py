"""Very many questions in one moment do not hold the reactor."""

from twisted.internet.defer import Deferred

from mailsys.net.dns.asking import AT_ONCE, IN_A_TURN, Asker
from mailsys.threads import NoThreads


class Turns:
    """A reactor that has turns: what is called later with no delay is called in the next."""

    def __init__(self):
        self._next = []

    def callLater(self, seconds, function, *arguments):  # noqa: N802 - Twisted's name
        assert seconds == 0
        self._next.append((function, arguments))

    def turn(self):
        due, self._next = self._next, []
        for function, arguments in due:
            function(*arguments)


class CountingAsker(Asker):
    """Counts which questions have begun; none has an answer before the test gives one."""

    def __init__(self, reactor):
        super().__init__(reactor, None, NoThreads(), lambda: 1, wants_ad=False)
        self.begun = []

    async def _ask_each(self, question):
        answer = Deferred()
        self.begun.append((question, answer))
        return await answer


def test_so_many_begin_in_a_turn_and_so_many_at_once():
    reactor = Turns()
    asker = CountingAsker(reactor)
    asked = [Deferred.fromCoroutine(asker.ask(number)) for number in range(2 * AT_ONCE)]
    for turn in range(1, AT_ONCE // IN_A_TURN + 1):
        assert len(asker.begun) == turn * IN_A_TURN
        reactor.turn()
    reactor.turn()
    assert len(asker.begun) == AT_ONCE
    for number in range(2 * AT_ONCE):
        asker.begun[number][1].callback("answer")
        reactor.turn()
        reactor.turn()
    assert len(asker.begun) == 2 * AT_ONCE
    assert {question for question, _ in asker.begun} == set(range(2 * AT_ONCE))
    assert all(one.result == "answer" for one in asked)
