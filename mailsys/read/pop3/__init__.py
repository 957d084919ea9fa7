"""POP3 sessions: authorization, then one mailbox, then the deletions at QUIT (RFC 1939)."""

from mailsys.read.pop3.conversation import POP3Conversation

__all__ = ["POP3Conversation"]
