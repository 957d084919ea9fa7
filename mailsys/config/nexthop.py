"""The settings ``send.smarthost`` and ``send.routes``: where mail for others is handed on."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from mailsys.config.values import Wrong
from mailsys.message.address import AddressError, parse_domain

PORTS = {"smtp": 25, "smtps": 465, "lmtp": 24}
_RIGHT = 'write it as in "smtp://user@relay.example.org:587", "smtps://…" or "lmtp://…"'


@dataclass(frozen=True, slots=True)
class NextHop:
    """A host that takes our mail; the scheme ``mx`` (without host) asks the domain's MX records."""

    scheme: str
    host: str = ""
    port: int = 0
    user: str = ""

    def __str__(self) -> str:
        if self.scheme == "mx":
            return "mx"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{quote(self.user, safe='') + '@' if self.user else ''}{host}:{self.port}"


MX = NextHop("mx")


def parse_smarthost(text: str) -> NextHop:
    """Read ``smtp://[user@]host[:port]``, or the same with smtps; raises Wrong."""
    hop = _parse_url(text)
    if hop.scheme == "lmtp":
        raise Wrong("cannot be LMTP, which only delivers to mailboxes", _RIGHT.replace(' or "lmtp://…"', ""))
    return hop


def parse_route(text: str) -> NextHop:
    """Read the URL of a route, or ``mx``; raises Wrong."""
    hop = MX if text == "mx" else _parse_url(text)
    if hop.user:
        raise Wrong("has a user in it", "leave the user out; only send.smarthost can log in")
    return hop


def _parse_url(text: str) -> NextHop:
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise Wrong("is not a URL", _RIGHT) from None
    if url.scheme not in PORTS:
        raise Wrong("does not begin with smtp://, smtps:// or lmtp://", _RIGHT)
    if url.password is not None:
        raise Wrong(
            "has a password in it", "put the password into a file and name it in smarthost_password_file"
        )
    if not host or url.path.strip("/") or url.query or url.fragment or port == 0:
        raise Wrong("is not just a host and a port", _RIGHT)
    return NextHop(url.scheme, _read_host(host), port or PORTS[url.scheme], unquote(url.username or ""))


def _read_host(host: str) -> str:
    """An address as it is, a name in A-labels."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return parse_domain(host)
    except AddressError as error:
        raise Wrong(f"has a host that is none ({error})", _RIGHT) from None
