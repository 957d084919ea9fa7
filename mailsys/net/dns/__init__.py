"""Asks in DNS: a stub resolver on Twisted, with dnspython as codec of the messages."""
