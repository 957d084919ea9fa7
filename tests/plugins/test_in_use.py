"""Plugins that are made, started, given other settings and stopped with their host."""

from dataclasses import dataclass

import pytest
from plugin_house import configured, plugins_of, result_of
from plugin_makers import Maker
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mailsys.config.settings import TEXT, setting
from mailsys.extensions.plugins import CannotUse
from mailsys.interfaces import IJudge, IReconfigurable, IStartable
from mailsys.judge.silent import SilentJudge


@dataclass(frozen=True, slots=True)
class Words:
    word: str = setting(TEXT, "one")


@implementer(IStartable)
class Started(SilentJudge):
    def __init__(self, settings, services):
        self.settings = settings
        self.steps = []
        self.fault = None

    async def start(self):
        self.steps.append("start")
        if self.fault:
            raise self.fault

    async def stop(self):
        self.steps.append("stop")
        if self.fault:
            raise self.fault


@implementer(IReconfigurable)
class Flexible(SilentJudge):
    def __init__(self, settings, services):
        self.settings = settings

    def reconfigure(self, settings):
        if settings.word == "bad":
            raise ValueError("not this one")
        self.settings = settings


def test_each_is_made_once_with_its_settings_and_services():
    maker = Maker("acme", IJudge, lambda settings, services: SilentJudge(), Words)
    plugins = plugins_of(maker)
    plugins.use(configured("acme", acme=Words("two")))
    plugins.use(configured("acme", acme=Words("two")))
    [(settings, services)] = maker.made
    assert settings == Words("two")
    assert (services.name, services.hostname) == ("acme", "mail.example.org")
    assert "acme" in plugins
    assert "hop_count" not in plugins


@pytest.mark.row(66)
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda settings, services: 1 / 0, "cannot begin to work (ZeroDivisionError: division by zero)"),
        (lambda settings, services: exec("raise SystemExit(1)"), "cannot begin to work (SystemExit: 1)"),  # noqa: S102
        (lambda settings, services: object(), "is broken (TypeError: what it made does not provide IJudge)"),
    ],
)
def test_one_that_cannot_be_made_is_one_sentence(make, said):
    plugins = plugins_of(Maker("good", IJudge, lambda *_: SilentJudge()), Maker("acme", IJudge, make))
    with pytest.raises(CannotUse) as caught:
        plugins.use(configured("good", "acme"))
    assert str(caught.value) == (
        f"The plugin acme {said}; mend [plugins.acme] or /somewhere/mailsys/plugins/acme.py,"
        " or take its name out of the configuration."
    )
    assert "good" not in plugins


def test_those_that_do_something_by_themselves_are_started_and_stopped():
    plugins = plugins_of(Maker("acme", IJudge, Started), Maker("other", IJudge, Started))
    plugins.use(configured("acme", "other"))
    result_of(plugins.start())
    result_of(plugins.start())
    first, second = plugins.plugin("acme")[0], plugins.plugin("other")[0]
    second.fault = OSError("cannot end")
    result_of(plugins.stop())
    result_of(plugins.stop())
    assert first.steps == second.steps == ["start", "stop"]


def test_one_that_cannot_start_is_one_sentence():
    plugins = plugins_of(Maker("acme", IJudge, Started))
    plugins.use(configured("acme"))
    plugins.plugin("acme")[0].fault = OSError("no line to the moon")
    with pytest.raises(CannotUse, match=r"^The plugin acme failed at start: OSError: no line"):
        result_of(plugins.start())


def test_one_that_does_not_end_is_not_waited_for_for_ever():
    clock = Clock()
    plugins = plugins_of(Maker("acme", IJudge, Started), clock=clock)
    plugins.use(configured("acme"))
    result_of(plugins.start())
    plugins.plugin("acme")[0].stop = Deferred
    stopped = []
    Deferred.fromCoroutine(plugins.stop()).addBoth(stopped.append)
    clock.advance(30)
    assert stopped == [None]


# ---------------------------------------------------------------------- other settings


def test_settings_are_taken_over_by_one_that_can():
    plugins = plugins_of(Maker("acme", IJudge, Flexible, Words))
    plugins.use(configured("acme", acme=Words("one")))
    asked = configured("acme", acme=Words("two"))
    configuration, needs_restart = result_of(plugins.renew(asked))
    assert (configuration, needs_restart) == (asked, ())
    assert plugins.plugin("acme")[0].settings == Words("two")


@pytest.mark.parametrize("make", [Flexible, Started])
def test_settings_that_are_not_taken_need_a_restart(make):
    plugins = plugins_of(Maker("acme", IJudge, make, Words))
    running = configured("acme", acme=Words("one"))
    plugins.use(running)
    configuration, needs_restart = result_of(plugins.renew(configured("acme", acme=Words("bad"))))
    assert configuration.plugins == running.plugins
    assert needs_restart == ("plugins.acme",)
    assert plugins.plugin("acme")[0].settings == Words("one")


def test_one_that_is_named_later_is_made_and_started_then():
    plugins = plugins_of(Maker("acme", IJudge, Started), Maker("late", IJudge, Started))
    plugins.use(configured("acme"))
    result_of(plugins.start())
    result_of(plugins.renew(configured("acme", "late")))
    assert plugins.plugin("late")[0].steps == ["start"]
    assert plugins.plugin("acme")[0].steps == ["start"]


def test_what_cannot_be_made_later_changes_nothing():
    plugins = plugins_of(Maker("acme", IJudge, Flexible, Words), Maker("late", IJudge, lambda *_: 1 / 0))
    plugins.use(configured("acme", acme=Words("one")))
    with pytest.raises(CannotUse):
        result_of(plugins.renew(configured("acme", "late", acme=Words("two"))))
    assert plugins.plugin("acme")[0].settings == Words("one")
