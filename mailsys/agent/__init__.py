"""Somebody reads mail with us: accounts at any IMAP or POP3 server, and messages as text for people."""
