"""ID: who we are, and what the client says of itself (RFC 2971)."""

from __future__ import annotations

from mailsys.interfaces import Session
from mailsys.wire.imap.session_commands import Id

# What is told before login as well: the version is nobody's business.
_OURS = b'* ID ("name" "mailsys")\r\n'
NAME_CHARACTERS = 100


def answer_id(command: Id, session: Session) -> bytes:
    """Note the client's name for journal and log, and tell ours."""
    facts = {key.lower(): value for key, value in command.facts}
    told = " ".join(filter(None, [facts.get("name", ""), facts.get("version", "")]))
    if told:
        shown = told[:NAME_CHARACTERS]
        session.greeting = "".join(one if one.isprintable() else "?" for one in shown)
    return _OURS
