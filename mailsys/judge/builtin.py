"""The judges that come with mailsys, and how the configuration makes a pipeline of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mailsys.config.schema import Configuration
from mailsys.interfaces import IJudge, IJudgePipeline
from mailsys.judge.early_talker import EarlyTalker
from mailsys.judge.hop_count import HopCount
from mailsys.judge.one_from import OneFrom
from mailsys.judge.pipeline import JudgePipeline


def _early_talker(configuration: Configuration) -> IJudge:
    receive = configuration.receive
    return EarlyTalker(receive.greeting_pause, receive.trusted_networks)


BUILTIN: Mapping[str, Callable[[Configuration], IJudge]] = {
    EarlyTalker.name: _early_talker,
    OneFrom.name: lambda _configuration: OneFrom(),
    HopCount.name: lambda _configuration: HopCount(),
}
NO_FURTHER: Mapping[str, IJudge] = {}


def build_pipeline(
    configuration: Configuration, service: str = "smtp", further: Mapping[str, IJudge] = NO_FURTHER
) -> IJudgePipeline:
    """The judges of a service in their order; ``further`` are those that are not built in."""
    names = configuration.submission.judges if service == "submission" else configuration.judge.judges
    return JudgePipeline(
        [BUILTIN[name](configuration) if name in BUILTIN else further[name] for name in names]
    )
