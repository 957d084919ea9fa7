"""The setting ``listen.endpoint``: a Twisted endpoint string, checked without opening anything."""

from __future__ import annotations

import ipaddress
import re

from mailsys.config.values import Wrong

_RIGHT = 'write it as in "tcp:25", "tcp6:25", "tcp:25:interface=127.0.0.1" or "unix:/run/mailsys/lmtp"'
# Prefixes that Twisted knows and that would not do what is meant.
_NOT_HERE = {
    "ssl": 'write "tcp:…", and tls = "implicit" beside it',
    "tls": 'write "tcp:…", and tls = "implicit" beside it',
    "haproxy": 'write "tcp:…", and name the proxies in proxy_from beside it',
    "stdio": _RIGHT,
    "systemd": 'write the address as the socket unit has it, as in "tcp:25"; the socket is found by it',
}
_OPENS_NOTHING = ("tcp", "tcp6", "unix")  # building these endpoints only stores what was said
BACKLOG = 1024  # connections that the kernel keeps until we take them; a burst beyond it loses some
_ESCAPED = re.compile(r"\\(.)")
_PART = re.compile(r"(?<!\\):")
_PORT = re.compile(r"tcp6?:(?:[^:]*:)*?(?:port=)?([0-9]+)(?::|$)")


def read_endpoint(value: object) -> str:
    """An endpoint string whose kind is known here, and whose parts are right where that can be told."""
    if not isinstance(value, str):
        raise Wrong("is not a text", _RIGHT)
    prefix, found, _rest = value.partition(":")
    if not found or prefix not in _known_prefixes():
        raise Wrong(f'begins with no kind of endpoint ("{prefix}" is none)', _RIGHT)
    if prefix in _NOT_HERE:
        raise Wrong("is not for a listener here", _NOT_HERE[prefix])
    if prefix in _OPENS_NOTHING:
        _check_parts(value)
    return value


def with_backlog(endpoint: str) -> str:
    """The endpoint with room for a burst of connections, unless it is no TCP or says itself how many."""
    kind, *parts = _PART.split(endpoint)
    says_it = len(parts) > 2 or any(part.startswith("backlog=") for part in parts)
    return endpoint if says_it or kind not in ("tcp", "tcp6") else f"{endpoint}:backlog={BACKLOG}"


def address_of(endpoint: str) -> tuple[str, str, int] | None:
    """Kind (tcp, tcp6, unix), host (empty for any) or path, and port; None for endpoints of other kinds."""
    kind, *parts = _PART.split(endpoint)
    if kind not in _OPENS_NOTHING:
        return None
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    plain = [_ESCAPED.sub(r"\1", part) for part in parts if "=" not in part]
    if kind == "unix":
        return kind, _ESCAPED.sub(r"\1", named["address"]) if "address" in named else plain[0], 0
    port = int(named.get("port") or plain.pop(0))
    interface = named.get("interface") or (plain[0] if plain else "")
    return kind, _plain_host(_ESCAPED.sub(r"\1", interface)), port


def _plain_host(text: str) -> str:
    """An address in its shortest writing, and nothing for the one that means all of them."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return "" if address.is_unspecified else str(address)


def _known_prefixes() -> set[str]:
    from twisted.internet.interfaces import IStreamServerEndpointStringParser
    from twisted.plugin import getPlugins

    return {
        "tcp",
        "unix",
        "ssl",
        *(parser.prefix for parser in getPlugins(IStreamServerEndpointStringParser)),
    }


def _check_parts(text: str) -> None:
    from twisted.internet.endpoints import serverFromString

    try:
        serverFromString(None, text)
    except (TypeError, ValueError):
        right = _RIGHT if "::" not in text else r'write \: for each colon of an address, as in "\\:\\:1"'
        raise Wrong("has a part that does not belong there", right) from None
    if (port := _PORT.match(text)) and int(port[1]) > 65535:
        raise Wrong("has no possible port", "write a port from 0 to 65535")
