"""What every further subcommand must do."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import IControlCommand
from mailsys.testing.services import Asking


class ControlCommandContract(Asking):
    """Give it a fixture ``command``."""

    @pytest.fixture
    def command(self) -> IControlCommand:
        """The command that is tested."""
        raise NotImplementedError

    def test_it_provides_the_interface(self, command: IControlCommand) -> None:
        """Its methods, with their arguments."""
        assert verifyObject(IControlCommand, command)

    def test_it_declares_its_arguments_and_has_a_help(self, command: IControlCommand) -> None:
        """Twice does no harm."""
        for _ in range(2):
            parser = ArgumentParser(prog="mailsys tested")
            command.add_arguments(parser)
            assert parser.format_help()
