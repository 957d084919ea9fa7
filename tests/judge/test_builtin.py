"""From the configuration to the pipeline."""

import pytest
from judge_house import surroundings
from zope.interface.verify import verifyObject

from mailsys.config.schema import Configuration, Judge, Receive
from mailsys.interfaces import ACCEPT, Disposition, IJudge, Peer, Session, Verdict
from mailsys.judge.builtin import BUILTIN, build_pipeline
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import parse_address

STRANGER = Session("s1", Peer("198.51.100.1", 40000, "smtp"), spoke_early=True)


def configured(*judges, pause=1.5):
    return Configuration(
        hostname="mail.example.org", judge=Judge(judges=judges), receive=Receive(greeting_pause=pause)
    )


def around(*judges, **settings):
    """What judges use of a host, with the configuration of these."""
    configuration = configured(*judges, **settings)
    return surroundings(configuration)


def connection(pipeline):
    with pytest.raises(StopIteration) as ended:
        pipeline.connection(STRANGER).send(None)
    return ended.value.value


def test_every_builtin_judge_is_one():
    for name, make in BUILTIN.items():
        judge = make(around())
        verifyObject(IJudge, judge)
        assert judge.name == name


def test_the_default_of_the_configuration():
    configuration = Configuration(hostname="mail.example.org")
    assert {*configuration.judge.judges, *configuration.submission.judges} <= BUILTIN.keys()


def test_submission_has_judges_of_its_own():
    submission = build_pipeline(around("early_talker"), "submission")
    assert submission.pause_seconds(STRANGER) == 0
    session = Session("s1", Peer("198.51.100.1", 40000, "submission"), login=parse_address("ann@b.example"))
    with pytest.raises(StopIteration) as ended:
        submission.sender(session, parse_address("eve@b.example")).send(None)
    assert ended.value.value.reply.code == 553


def test_the_named_judges_run():
    pipeline = build_pipeline(around("one_from", "early_talker"))
    assert pipeline.pause_seconds(STRANGER) == 1.5
    assert connection(pipeline).reason == "early_talker: You spoke before the greeting"


def test_no_judges():
    pipeline = build_pipeline(around())
    assert pipeline.pause_seconds(STRANGER) == 0
    assert connection(pipeline) is ACCEPT


class Horoscope(SilentJudge):
    name = "horoscope"

    async def connection(self, session):
        return Verdict(Disposition.JUNK, "Mercury is retrograde")


def test_judges_that_are_not_built_in_run_in_their_place():
    pipeline = build_pipeline(around("one_from", "horoscope"), "smtp", {"horoscope": Horoscope()})
    assert connection(pipeline).reason == "horoscope: Mercury is retrograde"
