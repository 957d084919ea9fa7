"""Who may log in, and what is theirs."""
