"""Mail that waits: kept over crashes, tried again in time, until each recipient has an outcome."""

FILE_NAME = "queue.sqlite3"  # in the data folder
FOLDER = "queue"  # with the contents
