"""A router that knows the way from a table: address, then the mailboxes, or a reply that refuses.

    [route]
    routers = ["csv_router"]
    [plugins.csv_router]
    file = "ways.csv"

Lines of the file, as a spreadsheet exports them::

    sales@example.org,ann@example.org,bob@example.org
    old@example.org,550 5.1.6 This address has moved to new@example.org

The mailboxes need not be accounts of ``mailsys account``: whoever has one in the store can read it.
The file is read at start and at SIGHUP.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zope.interface import implementer

from mailsys.config.settings import PATH, setting
from mailsys.interfaces import (
    Account,
    IReconfigurable,
    IRouter,
    PluginMaker,
    Refused,
    Route,
    Services,
    ToMailboxes,
)
from mailsys.message.address import Address, AddressError, parse_address
from mailsys.message.reply import Reply

csv_router = PluginMaker(IRouter, "csv_router", __name__, "knows the way from a table in a file")

_REFUSAL = re.compile(r"(5[0-9][0-9]) (5\.[0-9]{1,3}\.[0-9]{1,3}) (.{1,400})")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the table is."""

    file: str = setting(PATH)


@implementer(IRouter, IReconfigurable)
class CsvRouter:
    """Keeps the table in memory."""

    def __init__(self, ways: Mapping[Address, Route]) -> None:
        self._ways = ways

    def reconfigure(self, settings: Settings) -> None:
        """Another file; with a mistake in it the old table stays."""
        self._ways = read(settings.file)

    async def route(self, recipient: Address) -> Route | None:
        """The way of exactly this address; all others are for the next router."""
        return self._ways.get(recipient.folded())


def read(path: str) -> Mapping[Address, Route]:
    """The table; raises OSError, or ValueError that names the line."""
    ways: dict[Address, Route] = {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        for row in rows:
            cells = [cell.strip() for cell in row if cell.strip()]
            if not cells or cells[0].startswith("#"):
                continue
            try:
                ways[parse_address(cells[0]).folded()] = _way(cells)
            except (AddressError, ValueError) as error:
                raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
    return ways


def _way(cells: Sequence[str]) -> Route:
    if len(cells) < 2:
        raise ValueError("it leads nowhere")
    words = (f"{cells[0]} is in the table",)
    if refusal := _REFUSAL.fullmatch(cells[1]):
        return Refused(Reply(int(refusal[1]), refusal[2], refusal[3]), words)
    accounts = dict.fromkeys(Account(parse_address(cell).folded()) for cell in cells[1:])
    return ToMailboxes(tuple(accounts), words)


def make(settings: Settings, services: Services) -> CsvRouter:
    """The router."""
    return CsvRouter(read(settings.file))
