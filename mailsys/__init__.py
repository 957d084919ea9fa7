"""mailsys: a complete mail host for a small organisation."""

__version__ = "0.1.0"
