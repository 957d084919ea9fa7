"""IMAP as a server speaks it (RFC 3501, RFC 9051 and extensions), without any I/O."""
