"""Settings that are accepted already, and what mailsys does as long as it cannot follow them."""

from __future__ import annotations

from mailsys.config.schema import Configuration

# What is built leaves its table here.
_SERVICES = ("submission", "imap", "web")
_SECTIONS = {"send": "mail for other hosts is refused", "dns": "nothing is asked in DNS"}


def not_built_yet(configuration: Configuration) -> list[str]:
    """One sentence for each thing the file asks for that this version does not do."""
    sentences = [
        f"listen[{number}] is not opened: {listener.service} is not built yet."
        for number, listener in enumerate(configuration.listen, 1)
        if listener.service in _SERVICES
    ]
    for name, instead in _SECTIONS.items():
        section = getattr(configuration, name)
        if section != type(section)():
            sentences.append(f"[{name}] has no effect yet: {instead}.")
    if configuration.receive.trusted_networks:
        sentences.append(
            "receive.trusted_networks need not wait for the greeting, but cannot relay yet:"
            " mail for other hosts is refused."
        )
    return sentences
