"""Mailboxes as Maildirs, in the forms that Dovecot uses."""
