"""The judges that come with mailsys, and how the configuration makes a pipeline of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from mailsys.config.schema import Configuration
from mailsys.interfaces import IJudge, IJudgePipeline, IResolver, ISenders, IWorkers
from mailsys.judge.dmarc_judge import DMARCJudge
from mailsys.judge.dns_lists import DNSLists
from mailsys.judge.early_talker import EarlyTalker
from mailsys.judge.forwarders import Forwarders
from mailsys.judge.greylisting import Greylisting
from mailsys.judge.hop_count import HopCount
from mailsys.judge.iprev import IPRev
from mailsys.judge.memory.station import SenderMemory
from mailsys.judge.one_from import OneFrom
from mailsys.judge.own_sender import OwnSender
from mailsys.judge.pipeline import JudgePipeline
from mailsys.judge.spf_judge import SPFJudge
from mailsys.judge.strangers import Strangers
from mailsys.judge.verdict import FinalVerdict

DKIM = "dkim"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What judges use of the host; ``now`` is in seconds since 1970, ``workers`` read large messages."""

    configuration: Configuration
    senders: ISenders
    resolver: IResolver
    clock: IReactorTime
    now: Callable[[], float]
    workers: IWorkers
    memory: SenderMemory

    @property
    def strangers(self) -> Strangers:
        """Whose mail is judged by where it comes from."""
        return Strangers((*self.configuration.judge.exempt, *self.configuration.receive.trusted_networks))


def _early_talker(host: Surroundings) -> IJudge:
    receive = host.configuration.receive
    return EarlyTalker(receive.greeting_pause, receive.trusted_networks)


def _spf(host: Surroundings) -> IJudge:
    hostname = host.configuration.hostname
    return SPFJudge(hostname, host.resolver, host.clock, host.now, host.strangers)


def _dkim(host: Surroundings) -> IJudge:
    from mailsys.judge.dkim_judge import DKIMJudge  # its cryptography takes commands long to import

    return DKIMJudge(host.resolver, host.clock, host.now, host.workers, host.strangers)


def _dns_lists(host: Surroundings) -> IJudge:
    judge = host.configuration.judge
    lists = judge.blocklists, judge.allowlists
    return DNSLists(*lists, host.resolver, host.clock, host.memory.history, host.strangers)


def _greylisting(host: Surroundings) -> IJudge:
    wait_seconds = host.configuration.judge.greylist_wait
    return Greylisting(host.memory.greylist, host.memory.history, host.strangers, wait_seconds)


BUILTIN: Mapping[str, Callable[[Surroundings], IJudge]] = {
    EarlyTalker.name: _early_talker,
    IPRev.name: lambda host: IPRev(host.resolver, host.clock, host.strangers),
    SPFJudge.name: _spf,
    OneFrom.name: lambda _host: OneFrom(),
    OwnSender.name: lambda host: OwnSender(host.senders),
    HopCount.name: lambda _host: HopCount(),
    DNSLists.name: _dns_lists,
    Greylisting.name: _greylisting,
    DKIM: _dkim,
    DMARCJudge.name: lambda host: DMARCJudge(host.resolver, host.clock, host.strangers),
}
NO_FURTHER: Mapping[str, IJudge] = {}
# Those whose findings the policy weighs, which speaks after all that are named.
_FIND_OUT = frozenset({IPRev.name, SPFJudge.name, DKIM, DMARCJudge.name})


def build_pipeline(
    host: Surroundings, service: str = "smtp", further: Mapping[str, IJudge] = NO_FURTHER
) -> IJudgePipeline:
    """The judges of a service in their order; ``further`` are those that are not built in."""
    configuration = host.configuration
    names = configuration.submission.judges if service == "submission" else configuration.judge.judges
    judges = [BUILTIN[name](host) if name in BUILTIN else further[name] for name in names]
    if not _FIND_OUT.isdisjoint(names):
        forwarders = Forwarders(configuration.judge.trusted_forwarders)
        judges.append(FinalVerdict(configuration.hostname, forwarders, host.memory.history, host.senders))
    return JudgePipeline(judges)
