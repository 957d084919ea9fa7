"""SEARCH, SORT and THREAD over what the store knows of each message."""
