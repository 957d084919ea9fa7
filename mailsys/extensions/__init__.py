"""Plugins: found, made, and held to their interfaces, so that a bad one hurts only what it was asked."""
