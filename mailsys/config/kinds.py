"""The kinds of settings: how each is read from TOML, and written again.

``read`` takes what TOML gave and returns the value that the program uses, or raises
:class:`~mailsys.config.values.Wrong`; ``write`` is its inverse.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mailsys.config.capabilities import read_withheld, write_withheld
from mailsys.config.endpoint import read_endpoint
from mailsys.config.nexthop import NextHop, parse_route, parse_smarthost
from mailsys.config.paths import place_path, place_template, read_template
from mailsys.config.retry import RetrySchedule, parse_retry
from mailsys.config.values import HIDDEN, Wrong, format_size, format_time, parse_size, parse_time
from mailsys.message.address import Address, AddressError, parse_address, parse_domain

T = TypeVar("T")

LONGEST_AHEAD_SECONDS = 366 * 86_400.0
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOG_LEVELS = ("debug", "info", "warn", "error", "critical")
NameServer = tuple[str, int]  # IP address and port

_WITH_PORT = re.compile(r"(?:\[(?P<bracketed>[^]]+)\]|(?P<plain>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?")


def _stays(_base: str, value: T) -> T:
    return value


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of setting; ``place`` makes what is relative to the folder of the configuration absolute."""

    read: Callable[[Any], T]
    write: Callable[[T], Any]
    place: Callable[[str, T], T] = _stays
    is_secret: bool = False  # never shown, not even in a complaint


def read_text(value: object) -> str:
    """Any text without control characters."""
    if not isinstance(value, str):
        raise Wrong("is not a text", "write it in quotes")
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Wrong("has a control character", "leave it out")
    return value


def read_flag(value: object) -> bool:
    """A truth value."""
    if not isinstance(value, bool):
        raise Wrong("is neither true nor false", "write true or false, without quotes")
    return value


def whole_number(least: int, most: int) -> Kind[int]:
    """A number from ``least`` to ``most``; quotes around it do not matter."""
    right = f"write a whole number from {least} to {most}"

    def read(value: object) -> int:
        text = str(value) if isinstance(value, int | str) else ""
        if not re.fullmatch("[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise Wrong("is not possible here", right)
        return int(text)

    return Kind(read, int)


def one_of(*words: str) -> Kind[str]:
    """One of some words."""

    def read(value: object) -> str:
        if value not in words:
            raise Wrong("is not known here", f"write one of: {', '.join(words)}")
        return str(value)

    return Kind(read, str)


def read_size(value: object) -> int:
    """A size that is not nothing."""
    size = parse_size(value)
    if not size:
        raise Wrong("would allow nothing", 'write a size such as "50M"')
    return size


def read_wait(value: object) -> float:
    """A time that is not nothing."""
    seconds = parse_time(value)
    if not seconds:
        raise Wrong("would wait for nothing", 'write a time such as "5m"')
    return seconds


def read_ahead(value: object) -> float:
    """How far into the future something may lie; 0 for not at all."""
    seconds = parse_time(value)
    if seconds > LONGEST_AHEAD_SECONDS:
        raise Wrong("is too far ahead", 'write a time of up to a year, as in "30d", or "0s" for not at all')
    return seconds


def read_keep(value: object) -> float:
    """How long something is kept."""
    seconds = parse_time(value)
    if not seconds:
        raise Wrong("would keep nothing", 'write a time such as "30d"')
    return seconds


def read_hostname(value: object) -> str:
    """A name in A-labels, lower case."""
    right = 'write the full name of this host, as in "mail.example.org"'
    text = read_text(value)
    if text.startswith("["):
        raise Wrong("is an address, not a name", right)
    try:
        return parse_domain(text)
    except AddressError as error:
        raise Wrong(f"is not a host name ({error})", right) from None


def read_domain(value: object) -> str:
    """A domain in A-labels, or nothing."""
    text = read_text(value)
    try:
        return parse_domain(text) if text else ""
    except AddressError as error:
        raise Wrong(f"is not a domain ({error})", 'write it as in "example.org"') from None


def read_each(read: Callable[[Any], T], value: object) -> list[T]:
    """Read the items of a TOML list; all that are wrong are raised in one group."""
    if not isinstance(value, list):
        raise Wrong("is not a list", 'write it in square brackets, as in ["…", "…"]')
    done, wrong = [], []
    for item in value:
        try:
            done.append(read(item))
        except Wrong as reason:
            wrong.append(reason)
    if wrong:
        raise ExceptionGroup("items of a list", wrong)
    return done


def read_networks(value: object) -> tuple[Network, ...]:
    """IP networks; an address alone is the network of one."""
    return tuple(read_each(_read_network, value))


def _read_network(item: object) -> Network:
    try:
        network = ipaddress.ip_network(read_text(item))
    except ValueError as error:
        raise Wrong(f'has "{item}", which is no network ({error})', 'write it as in "192.0.2.0/24"') from None
    if not network.prefixlen:
        raise Wrong(f'has "{item}", which is everybody', "name the networks that you trust")
    return network


def read_zones(value: object) -> tuple[str, ...]:
    """Domains of lists in DNS."""
    return tuple(read_each(_read_zone, value))


def _read_zone(item: object) -> str:
    if not (zone := read_domain(item)) or zone.startswith("["):
        raise Wrong(f'has "{item}", which is no domain', 'write it as in "list.example.org"')
    return zone


def read_forwarders(value: object) -> tuple[Network | str, ...]:
    """IP networks, and domains."""
    return tuple(read_each(_read_forwarder, value))


def _read_forwarder(item: object) -> Network | str:
    text = read_text(item)
    return _read_network(text) if re.search(r"[:/]|\A[0-9.]+\Z", text) else read_hostname(text)


def read_separator(value: object) -> str:
    """The sign between user and tag, or nothing."""
    text = read_text(value)
    if not re.fullmatch(r"[!#$%&'*+/=?^_`{|}~-]?", text):
        raise Wrong("cannot separate a tag", 'write one sign such as "+" or "-", or "" for no tags')
    return text


def read_names(value: object) -> tuple[str, ...]:
    """Names, each once."""
    names = tuple(read_each(read_text, value))
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise Wrong(f'has "{doubled[0]}" twice', "write each once")
    return names


def read_texts(value: object) -> tuple[str, ...]:
    """Texts in their order, such as the words of a command."""
    return tuple(read_each(read_text, value))


def read_addresses(value: object) -> tuple[Address, ...]:
    """Mail addresses, folded."""
    return tuple(read_each(_read_address, value))


def _read_address(item: object) -> Address:
    try:
        return parse_address(read_text(item)).folded()
    except AddressError as error:
        right = 'write it as in "ann@example.org"'
        raise Wrong(f'has "{item}", which is no address ({error})', right) from None


def read_deliveries(value: object) -> Mapping[Address | str, str]:
    """Names of deliveries by address (folded) or domain (as A-labels)."""
    if not isinstance(value, dict):
        right = 'write [route.deliveries] and lines such as "tickets@example.org" = "NAME"'
        raise Wrong("is not a table", right)
    return dict(read_each(_read_delivery, list(value.items())))


def _read_delivery(item: tuple[str, object]) -> tuple[Address | str, str]:
    whom, name = item
    try:
        return parse_address(whom).folded() if "@" in whom else parse_domain(whom), read_text(name)
    except AddressError as error:
        right = 'write it as in "tickets@example.org" or "lists.example.org"'
        raise Wrong(f'has "{whom}", which is no address or domain ({error})', right) from None
    except Wrong as reason:
        raise Wrong(f'has for "{whom}" what {reason.wrong}', reason.right) from None


def read_name_servers(value: object) -> tuple[NameServer, ...]:
    """IP addresses with or without a port."""
    return tuple(read_each(_read_name_server, value))


def _read_name_server(item: object) -> NameServer:
    text = read_text(item)
    host, port = text, 53
    if match := _WITH_PORT.fullmatch(text):
        host, port = match["bracketed"] or match["plain"], int(match["port"] or 53)
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        right = 'write IP addresses as in "127.0.0.1:53" or "[::1]:53"'
        raise Wrong(f'has "{text}", which is no address', right) from None
    if not 1 <= port <= 65535:
        raise Wrong(f'has "{text}", which has no possible port', "write a port from 1 to 65535")
    return host, port


def _write_name_server(server: NameServer) -> str:
    host, port = server
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_source_addresses(value: object) -> tuple[str, ...]:
    """IP addresses, at most one of each kind."""
    addresses = tuple(read_each(_read_ip, value))
    if len({":" in address for address in addresses}) < len(addresses):
        raise Wrong("has two of one kind", "name one IPv4 and one IPv6 address at most")
    return addresses


def _read_ip(item: object) -> str:
    text = read_text(item)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        right = 'write IP addresses as in "192.0.2.1" or "2001:db8::1"'
        raise Wrong(f'has "{text}", which is no address', right) from None


def read_smarthost(value: object) -> NextHop | None:
    """The relay for all mail, or None."""
    text = read_text(value)
    return parse_smarthost(text) if text else None


def read_retry(value: object) -> RetrySchedule:
    """The waits between attempts."""
    return parse_retry(read_text(value))


def read_routes(value: object) -> Mapping[str, NextHop]:
    """Next hops by domain."""
    if not isinstance(value, dict):
        raise Wrong("is not a table", 'write [send.routes] and lines such as "partner.example" = "mx"')
    return dict(read_each(_read_route, list(value.items())))


def _read_route(item: tuple[str, object]) -> tuple[str, NextHop]:
    domain, url = item
    try:
        return parse_domain(domain), parse_route(read_text(url))
    except AddressError as error:
        raise Wrong(f'has "{domain}", which is no domain ({error})', 'write it as in "example.org"') from None
    except Wrong as reason:
        raise Wrong(f'has for "{domain}" what {reason.wrong}', f'{reason.right}, or "mx"') from None


def read_levels(value: object) -> Mapping[str, str]:
    """How much is logged, by the namespace of what speaks."""
    if not isinstance(value, dict):
        raise Wrong("is not a table", 'write [log.levels] and lines such as "mailsys.net" = "warn"')
    level = one_of(*LOG_LEVELS)
    return {name: level.read(word) for name, word in value.items()}


def read_tables(value: object) -> Mapping[str, Mapping[str, Any]]:
    """Tables by name, kept as they are."""
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise Wrong(
            "has something that is not a table", "write [plugins.NAME] and the plugin's settings below"
        )
    return value


LEVEL = one_of(*LOG_LEVELS)
LEVELS = Kind(read_levels, dict)
TEXT = Kind(read_text, str)
TEXTS = Kind(read_texts, list)
SECRET = Kind(read_text, lambda secret: HIDDEN if secret else "", is_secret=True)
PATH = Kind(read_text, str, place_path)
TEMPLATE = Kind(read_template, str, place_template)
FLAG = Kind(read_flag, bool)
PORT = whole_number(1, 65535)
ROOM = Kind(parse_size, format_size)
SIZE = Kind(read_size, format_size)
WAIT = Kind(read_wait, format_time)
KEEP = Kind(read_keep, format_time)
AHEAD = Kind(read_ahead, format_time)
PAUSE = Kind(parse_time, format_time)
ENDPOINT = Kind(read_endpoint, str)
SEPARATOR = Kind(read_separator, str)
HOSTNAME = Kind(read_hostname, str)
DOMAIN = Kind(read_domain, str)
FORWARDERS = Kind(read_forwarders, lambda trusted: [str(one) for one in trusted])
NETWORKS = Kind(read_networks, lambda networks: [str(network) for network in networks])
ZONES = Kind(read_zones, list)
NAMES = Kind(read_names, list)
ADDRESSES = Kind(read_addresses, lambda addresses: [str(address) for address in addresses])
DELIVERIES = Kind(read_deliveries, lambda names: {str(whom): name for whom, name in names.items()})
NAME_SERVERS = Kind(read_name_servers, lambda servers: [_write_name_server(server) for server in servers])
SOURCE_ADDRESSES = Kind(read_source_addresses, list)
SMARTHOST = Kind(read_smarthost, lambda hop: str(hop) if hop else "")
ROUTES = Kind(read_routes, lambda routes: {domain: str(hop) for domain, hop in routes.items()})
RETRY = Kind(read_retry, str)
WITHHELD = Kind(read_withheld, write_withheld)
TABLES: Kind[Any] = Kind(read_tables, dict)
