"""The POP3 server machine: commands and server."""
