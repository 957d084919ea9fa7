"""The story of every message: structured events with one id from connection to last outcome."""

FILE_NAME = "journal.sqlite3"  # in the data folder
