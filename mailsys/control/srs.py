"""``mailsys srs``: the keys of the return addresses that forwarded mail gets."""

from __future__ import annotations

import argparse
import os
import time

from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.disk import Disk
from mailsys.message.srs import EXPIRY_DAYS


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``srs``."""
    parser = subcommands.add_parser("srs", help="change the key of forwarded mail's return addresses")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    maker = actions.add_parser(
        "new-key", help="use a new key; what the old one made stays good until it expires"
    )
    maker.set_defaults(run=run_new_key)


def run_new_key(arguments: argparse.Namespace) -> int:
    """Make a key."""
    from mailsys.process import CannotBecome, make_data_folder
    from mailsys.route.return_keys import FILE_NAME, ReturnAddresses

    configuration = read_configuration(arguments)
    path = os.path.join(configuration.data, FILE_NAME)
    try:
        make_data_folder(configuration.data, configuration.process.user)
        ReturnAddresses(Disk(), path, time.time, os.urandom).renew()
    except CannotBecome as error:
        raise CannotDo(str(error)) from error
    except OSError as error:
        raise CannotDo(f"{path} cannot be changed: {error}.") from error
    print(f"There is a new key in {path}.  A running server uses it after SIGHUP.")
    print(f"Return addresses that were made with the old one are good for {EXPIRY_DAYS} days more.")
    return 0
