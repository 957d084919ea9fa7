"""What all subcommands share: the parser, finding the configuration, and how errors are told."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import mailsys
from mailsys.interfaces.commands import CannotDo as CannotDo

# The modules of the subcommands, in the order of ``mailsys --help``.  Imported only here, each light.
COMMANDS: tuple[str, ...] = (
    "init",
    "serve",
    "status",
    "configuration",
    "domain",
    "account",
    "alias",
    "srs",
    "logins",
    "queue",
    "send",
    "read",
    "trace",
    "explain",
    "plugins",
    "lab",
)


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The whole command line; plugins are looked for only when the words name no command of ours."""
    parser = argparse.ArgumentParser(
        prog="mailsys", description="A complete mail host for a small organisation."
    )
    parser.add_argument("--version", action="version", version=f"mailsys {mailsys.__version__}")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the configuration (default: $MAILSYS_CONFIG, ./mailsys.toml, /etc/mailsys/mailsys.toml)",
    )
    subcommands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"mailsys.control.{name}").add_parser(subcommands)
    if not any(word in subcommands.choices for word in argv):
        from mailsys.control.further import add_parsers

        add_parsers(subcommands)
    return parser


def config_path(arguments: argparse.Namespace) -> str:
    """Where the configuration of a command is."""
    return find_configuration(arguments.config)


def find_configuration(named: str | None) -> str:
    """What --config names, else $MAILSYS_CONFIG, ./mailsys.toml, /etc/mailsys/mailsys.toml."""
    if named := named or os.environ.get("MAILSYS_CONFIG"):
        return named
    for path in ("mailsys.toml", "/etc/mailsys/mailsys.toml"):
        if os.path.exists(path):
            return path
    raise CannotDo("There is no configuration: name it with --config FILE, or make one with 'mailsys init'.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = build_parser(argv).parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except CannotDo as reason:
        print(f"mailsys: {reason}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130
