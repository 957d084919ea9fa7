"""Settings that are accepted already, and what mailsys does as long as it cannot follow them."""

from __future__ import annotations

from mailsys.config.schema import Configuration

# A service or a setting leaves its table here when it is built.
_SERVICES = ("submission", "imap", "web")
_SETTINGS = {
    "receive.trusted_networks": "mail for other hosts is refused, from these networks, too",
    "send.": "mail for other hosts is refused",
    "dns.": "nothing is asked in DNS",
}


def not_built_yet(configuration: Configuration) -> list[str]:
    """One sentence for each thing the file asks for that this version does not do."""
    sentences = [
        f"listen[{number}] is not opened: {listener.service} is not built yet."
        for number, listener in enumerate(configuration.listen, 1)
        if listener.service in _SERVICES
    ]
    for part, instead in _SETTINGS.items():
        if stated := sorted(key for key in configuration.stated if key.startswith(part)):
            verb = "has" if len(stated) == 1 else "have"
            sentences.append(f"{', '.join(stated)} {verb} no effect yet: {instead}.")
    return sentences
