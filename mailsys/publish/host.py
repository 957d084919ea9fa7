"""What of this host concerns DNS, from its configuration."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from mailsys.config.endpoint import address_of
from mailsys.config.schema import Configuration
from mailsys.publish.wanted import Host

# Services as RFC 6186 and RFC 8314 call them, by ours and how TLS begins.
_NAMES = {
    ("submission", "implicit"): "submissions",
    ("submission", "starttls"): "submission",
    ("imap", "implicit"): "imaps",
    ("imap", "starttls"): "imap",
    ("pop3", "implicit"): "pop3s",
    ("pop3", "starttls"): "pop3",
}


def host_of(configuration: Configuration) -> Host:
    """Its name, its addresses if they are known, and what mail programs find at it."""
    return Host(
        configuration.hostname,
        tuple(_addresses(configuration)),
        tuple(dict.fromkeys(_services(configuration))),
        configuration.send.smarthost is not None,
    )


def _addresses(configuration: Configuration) -> Iterator[str]:
    """Those that the configuration says to send from, if others could find us there."""
    for text in configuration.send.source_addresses:
        address = ipaddress.ip_address(text)
        if address.is_global or configuration.send.allow_private:
            yield str(address)


def _services(configuration: Configuration) -> Iterator[tuple[str, int]]:
    for listener in configuration.listen:
        name = _NAMES.get((listener.service, listener.tls))
        place = address_of(listener.endpoint)
        if name is not None and place is not None and place[0] != "unix":
            yield name, place[2]
