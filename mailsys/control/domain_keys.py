"""The DKIM keys of a domain, as commands use them, beside a running server and without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mailsys.config import Configuration
from mailsys.control.command import CannotDo
from mailsys.message.address import display_domain

if TYPE_CHECKING:
    from mailsys.dkim.key_file import KeyFiles


@contextmanager
def opened_keys(configuration: Configuration, domain: str) -> Iterator[KeyFiles]:
    """What the files of this domain's keys refuse is told as CannotDo."""
    from mailsys.dkim.key_file import BadKeyFile, KeyFiles

    try:
        yield KeyFiles(configuration.data)
    except (OSError, BadKeyFile) as error:
        raise CannotDo(f"The DKIM keys of {display_domain(domain)} cannot be used: {error}.") from error
