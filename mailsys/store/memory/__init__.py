"""Mailboxes in memory, for tests and trials: what was kept is gone when the server stops."""
