"""The command line ``mailsys``: one file a subcommand.

Each command module has ``add_parser(subcommands)``, which sets ``run`` as its default, and
``run(arguments) -> int``.  A command that cannot do what it was asked raises :class:`CannotDo`
with one plain sentence; ``main`` prints it and exits with 1.
"""

from mailsys.control.command import CannotDo, main

__all__ = ["CannotDo", "main"]
