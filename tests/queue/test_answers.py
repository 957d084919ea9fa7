"""Answers of another thread: those that are ready together share one call into the reactor's."""

from concurrent.futures import Future

from twisted.trial.unittest import SynchronousTestCase

from mailsys.queue.answers import Answers


class AnswersTests(SynchronousTestCase):
    def setUp(self):
        self.calls = []
        self.answers = Answers(self.calls.append)

    def test_what_is_known_already_needs_no_call(self):
        future = Future()
        future.set_result(7)
        assert self.successResultOf(self.answers.of(future)) == 7
        assert self.calls == []

    def test_those_that_are_ready_together_share_a_call(self):
        futures = [Future() for _ in range(5)]
        answered = [self.answers.of(future) for future in futures]
        for number, future in enumerate(futures[:4]):
            future.set_result(number)
        assert len(self.calls) == 1
        self.calls.pop()()
        assert [self.successResultOf(answer) for answer in answered[:4]] == [0, 1, 2, 3]
        self.assertNoResult(answered[4])
        futures[4].set_result(4)
        self.calls.pop()()
        assert self.successResultOf(answered[4]) == 4

    def test_an_error_is_passed_on(self):
        future = Future()
        answer = self.answers.of(future)
        future.set_exception(OSError("full"))
        self.calls.pop()()
        self.failureResultOf(answer, OSError)

    def test_whoever_gave_up_hurts_no_other(self):
        futures = [Future(), Future()]
        gone, other = [self.answers.of(future) for future in futures]
        gone.addErrback(lambda _: None)
        gone.cancel()
        for future in futures:
            future.set_result(1)
        self.calls.pop()()
        assert self.successResultOf(other) == 1
