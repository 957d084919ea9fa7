"""Settings that are accepted already, and what mailsys does as long as it cannot follow them."""

from __future__ import annotations

from mailsys.config.schema import Configuration, Listener

# What is built leaves this list.
_SERVICES = ("web",)


def is_built(listener: Listener) -> bool:
    """Can this version serve the listener?"""
    return listener.service not in _SERVICES


def not_built_yet(configuration: Configuration) -> list[str]:
    """One sentence for each thing the file asks for that this version does not do."""
    return [
        f"listen[{number}] is not opened: {listener.service} is not built yet."
        for number, listener in enumerate(configuration.listen, 1)
        if not is_built(listener)
    ]
