"""The commit point: an append-only log with group sync, settling and replay."""
