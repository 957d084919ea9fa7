"""What every judge must do."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from mailsys.extensions.fit import wrong_verdict
from mailsys.interfaces import IGreetingPause, IJudge, Session, Verdict
from mailsys.testing.samples import ENVELOPES, FRIEND, ODD_ADDRESSES, SESSIONS, contents
from mailsys.testing.services import Asking


class JudgeContract(Asking):
    """Give it a fixture ``judge``."""

    @pytest.fixture
    def judge(self) -> IJudge:
        """The judge that is tested."""
        raise NotImplementedError

    def usable(self, verdict: Verdict) -> None:
        """Fail unless the pipeline can use it."""
        assert wrong_verdict(verdict) == ""

    def test_it_provides_the_interface(self, judge: IJudge) -> None:
        """Every method, with its arguments."""
        assert verifyObject(IJudge, judge)
        assert isinstance(judge.name, str)
        assert judge.name

    @pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.id)
    def test_it_has_a_verdict_on_every_connection(self, judge: IJudge, session: Session) -> None:
        """Whoever it is."""
        self.usable(self.wait_for(judge.connection(session)))

    @pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.id)
    def test_it_has_a_verdict_on_every_sender_and_recipient(self, judge: IJudge, session: Session) -> None:
        """Notices have no sender."""
        for sender in (None, FRIEND, *ODD_ADDRESSES):
            self.usable(self.wait_for(judge.sender(session, sender)))
        for recipient in (FRIEND, *ODD_ADDRESSES):
            self.usable(self.wait_for(judge.recipient(session, recipient)))

    @pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.id)
    def test_it_has_a_verdict_on_every_message(self, judge: IJudge, session: Session) -> None:
        """However broken; and it leaves what it reads as it was."""
        for envelope in ENVELOPES:
            for content in contents():
                before = b"".join(content.pieces())
                self.usable(self.wait_for(judge.message(session, envelope, content)))
                assert b"".join(content.pieces()) == before

    def test_a_pause_is_a_number_of_seconds(self, judge: IJudge) -> None:
        """Where it wants the greeting held back at all."""
        if IGreetingPause.providedBy(judge):
            assert verifyObject(IGreetingPause, judge)
            for session in SESSIONS:
                assert 0 <= IGreetingPause(judge).pause_seconds(session) <= 30
