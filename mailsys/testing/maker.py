"""What every maker of a plugin must do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from twisted.plugin import IPlugin
from zope.interface.verify import verifyObject

from mailsys.config.render import as_tables
from mailsys.config.tables import TableReader
from mailsys.extensions.find import Finding, FoundPlugin
from mailsys.extensions.installed import InstalledPlugins, kind_of
from mailsys.interfaces import IPluginMaker
from mailsys.testing.services import services


def read_settings(maker: IPluginMaker, table: Mapping[str, Any], base: object = "/") -> Any:
    """The settings of a ``[plugins.NAME]`` in a file below ``base``; ValueError tells every mistake."""
    reader = TableReader(str(base))
    settings = reader.read(maker.settings(), dict(table), f"plugins.{maker.name}.")
    if reader.mistakes:
        raise ValueError("\n".join(map(str, reader.mistakes)))
    return settings


class PluginMakerContract:
    """Give it a fixture ``maker``, and a ``table`` of settings with which it can work."""

    @pytest.fixture
    def maker(self) -> IPluginMaker:
        """The maker that is tested."""
        raise NotImplementedError

    @pytest.fixture
    def table(self) -> Mapping[str, Any]:
        """Settings as in the file, without those that may be left out."""
        return {}

    def test_it_provides_the_interfaces(self, maker: IPluginMaker) -> None:
        """And makes something that can be named somewhere."""
        assert verifyObject(IPluginMaker, maker)
        assert IPlugin.providedBy(maker)
        assert kind_of(maker.makes)
        assert maker.summary

    def test_its_settings_are_declared(self, maker: IPluginMaker) -> None:
        """As a frozen dataclass of settings."""
        installed = InstalledPlugins(Finding((FoundPlugin(maker, "its file"),), ()), {})
        assert installed.settings(maker.name) is maker.settings()

    def test_an_unknown_setting_is_a_mistake(self, maker: IPluginMaker, table: Mapping[str, Any]) -> None:
        """As everywhere in the file."""
        with pytest.raises(ValueError, match="surely_unknown"):
            read_settings(maker, {**table, "surely_unknown": 1})

    def test_what_is_shown_can_be_read_again(
        self, maker: IPluginMaker, table: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """``config show`` prints what a file may hold."""
        settings = read_settings(maker, table, tmp_path)
        read_settings(maker, as_tables(settings), tmp_path)

    def test_it_makes_what_it_says(
        self, maker: IPluginMaker, table: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """Of these settings."""
        made = maker.make(read_settings(maker, table, tmp_path), services(tmp_path, maker.name))
        assert maker.makes.providedBy(made)
