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


class UnknownJudge(ValueError):  # noqa: N818 - it is a sentence for a person
    """The configuration names a judge that does not exist."""


def build_pipeline(configuration: Configuration) -> IJudgePipeline:
    """The judges of ``[judge] judges`` in their order; raises :class:`UnknownJudge`."""
    return JudgePipeline([_make(name, configuration) for name in configuration.judge.judges])


def _make(name: str, configuration: Configuration) -> IJudge:
    if name not in BUILTIN:
        raise UnknownJudge(f"There is no judge {name!r}; there are: {', '.join(sorted(BUILTIN))}.")
    return BUILTIN[name](configuration)
