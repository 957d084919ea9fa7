"""IMAP sessions: login, folders, and what is told of them while they change (RFC 3501, RFC 9051)."""

from mailsys.read.imap.conversation import IMAPConversation

__all__ = ["IMAPConversation"]
