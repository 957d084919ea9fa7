"""Settings that are accepted already, and what mailsys does as long as it cannot follow them."""

from __future__ import annotations

from mailsys.config.schema import Configuration, Listener


def is_built(configuration: Configuration, listener: Listener) -> bool:
    """Can this version serve the listener?  What is built leaves this list."""
    match listener.service:
        case "web":
            return False
        case "imap":
            return configuration.store.kind != "maildir"
    return True


def not_built_yet(configuration: Configuration) -> list[str]:
    """One sentence for each thing the file asks for that this version does not do."""
    return [
        f"listen[{number}] is not opened: {listener.service} is not built yet."
        for number, listener in enumerate(configuration.listen, 1)
        if not is_built(configuration, listener)
    ]
