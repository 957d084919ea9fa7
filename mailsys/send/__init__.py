"""Mail goes out: which host, over what connection, and what came of it."""
