"""The judge that notes signatures, where it does more than note them."""

import pytest
from dkim_parts import NOW, pair, result_of, signed, zone_with
from signed_by_hand import MESSAGE
from twisted.internet.task import Clock

from mailsys.interfaces import Peer, Session
from mailsys.judge.dkim_judge import DKIMJudge
from mailsys.judge.replays import MOST_COPIES
from mailsys.judge.strangers import Strangers
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.threads import NoThreads


@pytest.mark.row(40)
def test_a_signature_that_comes_too_often_counts_no_longer():
    judge = DKIMJudge(zone_with(pair()[1]), Clock(), lambda: NOW, NoThreads(), Strangers())
    everybody = Envelope("s1.1", None, tuple(Address(f"u{n}", "our.example") for n in range(MOST_COPIES)))
    content = MemoryContent([signed(MESSAGE, pair()[0])])
    for results in (["pass", "pass"], ["policy", "policy"]):
        session = Session("s1", Peer("192.0.2.1", 25, "smtp"), protocol="ESMTP")
        result_of(judge.message(session, everybody, content))
        assert [one.result for one in session.findings["dkim"]] == results
    assert session.findings["dkim"][0].reason == "the same signature came for over 1000 recipients in a day"
