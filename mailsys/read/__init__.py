"""People fetch their mail: POP3."""
