"""A day's life of a server, compressed: mail, logins, people who hang up, restarts; and what it leaves."""
