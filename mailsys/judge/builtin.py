"""The judges that come with mailsys, and how the configuration makes a pipeline of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mailsys.config.schema import Configuration
from mailsys.interfaces import IJudge, IJudgePipeline, ISenders
from mailsys.judge.early_talker import EarlyTalker
from mailsys.judge.hop_count import HopCount
from mailsys.judge.one_from import OneFrom
from mailsys.judge.own_sender import OwnSender
from mailsys.judge.pipeline import JudgePipeline


def _early_talker(configuration: Configuration, _senders: ISenders) -> IJudge:
    receive = configuration.receive
    return EarlyTalker(receive.greeting_pause, receive.trusted_networks)


BUILTIN: Mapping[str, Callable[[Configuration, ISenders], IJudge]] = {
    EarlyTalker.name: _early_talker,
    OneFrom.name: lambda _configuration, _senders: OneFrom(),
    OwnSender.name: lambda _configuration, senders: OwnSender(senders),
    HopCount.name: lambda _configuration, _senders: HopCount(),
}
NO_FURTHER: Mapping[str, IJudge] = {}


def build_pipeline(
    configuration: Configuration,
    senders: ISenders,
    service: str = "smtp",
    further: Mapping[str, IJudge] = NO_FURTHER,
) -> IJudgePipeline:
    """The judges of a service in their order; ``further`` are those that are not built in."""
    names = configuration.submission.judges if service == "submission" else configuration.judge.judges
    return JudgePipeline(
        [BUILTIN[name](configuration, senders) if name in BUILTIN else further[name] for name in names]
    )
