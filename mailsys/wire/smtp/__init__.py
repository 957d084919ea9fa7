"""The SMTP and LMTP server machine: grammar, commands, extensions, server."""
