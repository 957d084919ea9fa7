"""Plugins that tests install without any file: makers, and what is installed of them."""

from dataclasses import dataclass

from twisted.plugin import IPlugin
from zope.interface import implementer

from mailsys.config.settings import NETWORKS, SECRET, SIZE, TEXT, WAIT, Wrong, one_of, setting
from mailsys.extensions.find import BrokenFile, Finding, FoundPlugin
from mailsys.extensions.installed import InstalledPlugins
from mailsys.interfaces import IJudge, IPluginMaker, NoSettings
from mailsys.judge.builtin import BUILTIN as JUDGES_BUILT_IN

JUDGES = tuple(JUDGES_BUILT_IN)
BUILTIN = {"submission.judges": JUDGES, "judge.judges": JUDGES, "store.kind": ("maildir", "memory")}


@dataclass(frozen=True, slots=True)
class GreylistSettings:
    wait: float = setting(WAIT, "5m")
    largest: int = setting(SIZE, "1M")
    password: str = setting(SECRET, "")
    api_key: str = setting(TEXT, "")
    password_file: str = setting(TEXT, "")
    friends: tuple = setting(NETWORKS, [])
    mode: str = setting(one_of("soft", "hard"), "soft")

    def __post_init__(self):
        if self.mode == "hard" and self.wait < 60:
            raise Wrong('has mode "hard" and a wait below a minute', "write a longer wait")


@implementer(IPlugin, IPluginMaker)
class Maker:
    """Makes whatever the test says; ``made`` are the settings and services of each."""

    summary = "for tests"

    def __init__(self, name, makes, make=None, settings=NoSettings):
        self.name = name
        self.makes = makes
        self.made = []
        self._make = make or (lambda settings, services: None)
        self._settings = settings

    def settings(self):
        if isinstance(self._settings, Exception):
            raise self._settings
        return self._settings

    def make(self, settings, services):
        self.made.append((settings, services))
        return self._make(settings, services)


def installed(*makers, broken=()):
    """These plugins, each said to be in a file of its name, beside what is built in."""
    found = tuple(FoundPlugin(maker, f"/somewhere/mailsys/plugins/{maker.name}.py") for maker in makers)
    return InstalledPlugins(Finding(found, tuple(BrokenFile(*one) for one in broken)), BUILTIN)


def greylist():
    return Maker("greylist", IJudge, settings=GreylistSettings)
