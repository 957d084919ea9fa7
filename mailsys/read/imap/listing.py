"""LIST and LSUB: which folders there are (RFC 9051 6.3.9, RFC 5258, RFC 5819, RFC 6154)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from mailsys.interfaces import FolderEntry, FolderRefused
from mailsys.read.imap.patterns import Pattern
from mailsys.read.imap.session import IMAPSession
from mailsys.read.imap.status import status_line
from mailsys.wire.imap import rendering, responses
from mailsys.wire.imap.folder_commands import List, Lsub
from mailsys.wire.imap.responses import Response

AT_ONCE = 200  # names looked at in one go, of which each may be a line
ROOT = b'* LIST (\\Noselect) "/" ""\r\n'


async def list_folders(session: IMAPSession, command: List) -> Response:
    """The folders that the patterns match, with what the client wants to know of each."""
    if command.patterns == ("",) and not command.is_extended:
        session.dialogue.send(ROOT)  # RFC 9051 6.3.9: what parts the levels
        return responses.DONE
    tree = Tree(await session.folders.list())
    matches = _Matches(tree, command)
    for count, name in enumerate(tree.names, 1):
        if matches.has(name):
            line = _line(session, command, tree, name, matches.child_info)
            session.dialogue.send(line + await _status(session, command, tree, name))
        await _take_turns(session, count)
    return responses.DONE


async def _take_turns(session: IMAPSession, count: int) -> None:
    """After each name that was looked at, for which a long pattern takes up to a millisecond."""
    if count % AT_ONCE == 0:
        await session.dialogue.give_way()
    else:
        await session.dialogue.give_way_in_time()


class Tree:
    """All folders by name, those above them included, which may not exist themselves."""

    def __init__(self, entries: Sequence[FolderEntry]) -> None:
        self.entries: Mapping[str, FolderEntry] = {entry.name: entry for entry in entries}
        self.parents: set[str] = set()  # with a folder that exists somewhere below
        for entry in entries:
            if entry.exists:
                self.parents.update(above(entry.name))

    def entry(self, name: str) -> FolderEntry:
        """What is known of it; of a name that is only above others, that it is not there."""
        return self.entries.get(name) or FolderEntry(name, exists=False)

    @property
    def names(self) -> list[str]:
        """Of all, in the store's order, and those that are only above others behind them."""
        return [*self.entries, *sorted(self.parents - self.entries.keys())]


def above(name: str) -> Iterator[str]:
    """The names above it, the nearest first."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


class _Matches:
    """Which names to tell; below those of ``child_info`` lies what was selected for."""

    def __init__(self, tree: Tree, command: List) -> None:
        self._tree = tree
        self._selections = command.selections & {"SUBSCRIBED", "SPECIAL-USE"}
        self._pattern = Pattern([command.reference + pattern for pattern in command.patterns])
        self.child_info: Collection[str] = self._with_selected_below(command)

    def _with_selected_below(self, command: List) -> set[str]:
        if "RECURSIVEMATCH" not in command.selections:
            return set()
        chosen = [name for name in self._tree.names if self._is_chosen(name)]
        return {parent for name in chosen for parent in above(name)}

    def _is_chosen(self, name: str) -> bool:
        entry = self._tree.entry(name)
        if "SUBSCRIBED" in self._selections and not entry.subscribed:
            return False
        return "SPECIAL-USE" not in self._selections or bool(entry.special_use)

    def has(self, name: str) -> bool:
        """Is it to be told?"""
        return self._is_wanted(name) and self._pattern.matches(name)

    def _is_wanted(self, name: str) -> bool:
        if self._selections:
            return self._is_chosen(name) or name in self.child_info
        return self._tree.entry(name).exists or name in self._tree.parents


def _line(session: IMAPSession, command: List, tree: Tree, name: str, child_info: Collection[str]) -> bytes:
    entry = tree.entry(name)
    attributes = []
    if not entry.exists:
        attributes.append("\\NonExistent" if command.is_extended else "\\Noselect")
    attributes.append("\\HasChildren" if name in tree.parents else "\\HasNoChildren")
    if entry.subscribed and {"SUBSCRIBED"} & (command.returns | command.selections):
        attributes.append("\\Subscribed")
    if entry.special_use:
        attributes.append(entry.special_use)
    line = f'* LIST ({" ".join(attributes)}) "/" '.encode() + rendering.mailbox(name, utf8=session.utf8)
    if name in child_info:
        line += (
            b' ("CHILDINFO" ("SUBSCRIBED"))' if "SUBSCRIBED" in command.selections else b' ("CHILDINFO" ())'
        )
    return line + b"\r\n"


async def _status(session: IMAPSession, command: List, tree: Tree, name: str) -> bytes:
    """RFC 5819 2: of a folder that exists, unless it has gone meanwhile."""
    if not command.status_items or not tree.entry(name).exists:
        return b""
    try:
        return await status_line(session, name, command.status_items)
    except FolderRefused:
        return b""


async def list_subscribed(session: IMAPSession, command: Lsub) -> Response:
    """LSUB (RFC 3501 6.3.9): what is subscribed; with ``%`` also what is above it."""
    entries = [entry for entry in await session.folders.list() if entry.subscribed]
    subscribed = {entry.name for entry in entries}
    pattern = Pattern([command.reference + command.pattern])
    names = dict.fromkeys(entry.name for entry in entries)
    if command.pattern.endswith("%"):
        names.update(dict.fromkeys(parent for entry in entries for parent in above(entry.name)))
    for count, name in enumerate(names, 1):
        if pattern.matches(name):
            attributes = b"" if name in subscribed else b"\\Noselect"
            rendered = rendering.mailbox(name, utf8=session.utf8)
            session.dialogue.send(b'* LSUB (%b) "/" %b\r\n' % (attributes, rendered))
        await _take_turns(session, count)
    return responses.DONE
