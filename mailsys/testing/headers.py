"""What every header writer must do."""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from mailsys.extensions.fit import wrong_header_lines
from mailsys.interfaces import IHeaderWriter
from mailsys.testing.samples import ENVELOPES, contents
from mailsys.testing.services import Asking


class HeaderWriterContract(Asking):
    """Give it a fixture ``writer``."""

    @pytest.fixture
    def writer(self) -> IHeaderWriter:
        """The header writer that is tested."""
        raise NotImplementedError

    def test_it_provides_the_interface(self, writer: IHeaderWriter) -> None:
        """Its method, with its arguments."""
        assert verifyObject(IHeaderWriter, writer)
        assert writer.name

    def test_its_lines_are_whole_fields(self, writer: IHeaderWriter) -> None:
        """In front of every message; and it leaves the message as it was."""
        for envelope in ENVELOPES:
            for content in contents():
                before = b"".join(content.pieces())
                lines = self.wait_for(writer.lines(envelope, content))
                assert wrong_header_lines(lines) == ""
                assert b"".join(content.pieces()) == before

    def test_its_lines_are_ascii_unless_the_sender_speaks_utf8(self, writer: IHeaderWriter) -> None:
        """RFC 6531 3.2: without SMTPUTF8 no header field may hold anything else."""
        lines = self.wait_for(writer.lines(ENVELOPES[0], contents()[0]))
        assert all(line.isascii() for line in lines)
