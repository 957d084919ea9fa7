"""Header writers of plugins, all as one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from zope.interface import implementer

from mailsys.extensions.fit import wrong_header_lines
from mailsys.extensions.guard import Guard
from mailsys.interfaces import IHeaderWriter
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope


@implementer(IHeaderWriter)
class GuardedHeaderWriters:
    """Each writes its lines, in the order of the configuration."""

    name = "all header writers"

    def __init__(self, writers: Sequence[tuple[Any, Guard]]) -> None:
        self._writers = tuple(writers)

    async def lines(self, envelope: Envelope, content: Content) -> Sequence[bytes]:
        """The lines of all of them; raises PluginFailed."""
        lines: list[bytes] = []
        for writer, guard in self._writers:
            question = partial(writer.lines, envelope, content)
            lines += await guard.ask("lines", question, wrong_header_lines)
        return lines
