"""``mailsys config check`` and ``config show``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailsys.config import Configuration, ConfigurationError, load, not_built_yet, render_json, render_toml
from mailsys.control.command import COMMANDS, CannotDo, config_path

if TYPE_CHECKING:
    from mailsys.extensions.installed import InstalledPlugins


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``config``."""
    parser = subcommands.add_parser("config", help="look at the configuration")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    checker = actions.add_parser("check", help="tell every mistake")
    checker.set_defaults(run=run_check)
    shower = actions.add_parser("show", help="print every setting, with the defaults")
    shower.set_defaults(run=run_show)
    shower.add_argument("--json", action="store_true", help="as JSON")


def run_check(arguments: argparse.Namespace) -> int:
    """Tell every mistake, or that there is none."""
    configuration = read_configuration(arguments)
    print(f"{configuration.path} is in order.")
    for sentence in not_built_yet(configuration):
        print(f"Note: {sentence}")
    if not configuration.listen:
        print("Note: there is no [[listen]], so a server would open no port.")
    for sentence in _certificates(configuration):
        print(sentence)
    return 0


def _certificates(configuration: Configuration) -> Iterator[str]:
    """What each certificate says, and what is to be done about it."""
    if not configuration.tls.files:
        return
    from mailsys.tls.certificate import read_certificates
    from mailsys.tls.remarks import describe, remarks
    from mailsys.tls.table import CertificateTable

    table = CertificateTable(read_certificates(configuration.tls.files))
    for certificate in table.certificates:
        yield f"Certificate {describe(certificate)}."
    for remark in remarks(table, configuration.hostname, datetime.now(UTC)):
        yield f"Warning: {remark}"


def run_show(arguments: argparse.Namespace) -> int:
    """Print the configuration in force; it can be loaded again."""
    render = render_json if arguments.json else render_toml
    sys.stdout.write(render(read_configuration(arguments)))
    return 0


def read_configuration(arguments: argparse.Namespace, *, is_servers: bool = True) -> Configuration:
    """The configuration of this command line; raises CannotDo with every mistake.

    For a command that anybody may give, it is not checked as the server's.
    """
    try:
        return load(config_path(arguments), installed(), is_servers=is_servers)
    except ConfigurationError as error:
        raise CannotDo(_told(error)) from None


def installed() -> InstalledPlugins:
    """What the configuration may name: what is built in, and the plugins of this machine."""
    import mailsys.plugins
    from mailsys.extensions.find import find_plugins
    from mailsys.extensions.installed import InstalledPlugins
    from mailsys.judge.builtin import BUILTIN

    builtin = {
        "judge.judges": tuple(BUILTIN),
        "submission.judges": tuple(BUILTIN),
        "store.kind": ("maildir", "memory"),
        "command": (*COMMANDS, "config"),
    }
    return InstalledPlugins(find_plugins(mailsys.plugins), builtin)


def _told(error: ConfigurationError) -> str:
    mistakes = error.mistakes
    if mistakes[0].key == error.path:  # the file itself
        return str(mistakes[0])
    many = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
    return "\n  ".join([f"{error.path} has {many}:", *map(str, mistakes)])
