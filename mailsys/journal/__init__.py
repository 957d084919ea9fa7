"""The story of every message: structured events with one id from connection to last outcome."""
