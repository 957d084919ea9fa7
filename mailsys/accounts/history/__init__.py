"""From where accounts were used: ``logins.sqlite3``, for the server and for ``mailsys logins``."""
