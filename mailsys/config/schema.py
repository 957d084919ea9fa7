"""Every setting of ``mailsys.toml``, with its kind and its default.

Defaults are written as in the file.  In the program sizes are octets, times are seconds, networks
are of ``ipaddress``, domains are A-labels, and paths are absolute.
"""
# ruff: noqa: RUF009 - setting() and section() are dataclasses.field() in other words

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailsys.config.capabilities import Withheld
from mailsys.config.kinds import (
    AHEAD,
    DELIVERIES,
    DOMAIN,
    ENDPOINT,
    FLAG,
    FORWARDERS,
    HOSTNAME,
    KEEP,
    LEVEL,
    LEVELS,
    NAME_SERVERS,
    NAMES,
    NETWORKS,
    PATH,
    PAUSE,
    PORT,
    RETRY,
    ROOM,
    ROUTES,
    SEPARATOR,
    SIZE,
    SMARTHOST,
    SOURCE_ADDRESSES,
    TABLES,
    TEMPLATE,
    TEXT,
    WAIT,
    WITHHELD,
    ZONES,
    NameServer,
    Network,
    one_of,
    whole_number,
)
from mailsys.config.nexthop import NextHop
from mailsys.config.plugins import PluginTable
from mailsys.config.retry import RetrySchedule
from mailsys.config.settings import section, sections, setting
from mailsys.message.address import Address
from mailsys.tls.files import CertificateFiles

COUNT = whole_number(0, 1_000_000)
SERVICES = ("smtp", "submission", "lmtp", "pop3", "imap", "web")


@dataclass(frozen=True, slots=True)
class Process:
    """``[process]``: the user that a server started as root becomes; "root" must be said."""

    user: str = setting(TEXT, "")


@dataclass(frozen=True, slots=True)
class FurtherCertificate:
    """``[[tls.certificates]]``: PEM files; the certificate itself says for which names."""

    certificate: str = setting(PATH)
    key: str = setting(PATH)


@dataclass(frozen=True, slots=True)
class Tls:
    """``[tls]``: PEM files, or empty without TLS; ``certificates`` are further ones, for other names."""

    certificate: str = setting(PATH, "")
    key: str = setting(PATH, "")
    certificates: tuple[FurtherCertificate, ...] = sections(FurtherCertificate)

    @property
    def files(self) -> tuple[CertificateFiles, ...]:
        """The files of all certificates, the first for clients that ask for no name that we have."""
        if not (self.certificate or self.key):
            return ()
        further = [CertificateFiles(one.certificate, one.key) for one in self.certificates]
        return CertificateFiles(self.certificate, self.key), *further


@dataclass(frozen=True, slots=True)
class Listener:
    """``[[listen]]``: one open port (``endpoint`` is Twisted's) and what is spoken there.

    ``proxy_from``: only these peers are let in, and their PROXY header is believed.
    """

    service: str = setting(one_of(*SERVICES))
    endpoint: str = setting(ENDPOINT)
    tls: str = setting(one_of("starttls", "implicit", "none"), "none")
    proxy_from: tuple[Network, ...] = setting(NETWORKS, [])


@dataclass(frozen=True, slots=True)
class Auth:
    """``[auth]``: ``plaintext`` says where passwords may come without TLS.

    ``default_domain`` is empty for the first domain.  ``hashing_threads`` bounds the password
    checks at one time, each of which takes tens of megabytes.  The ``failures_per_…`` are within an
    hour, and 0 is without limit; a block is twice as long as the last, up to ``longest_block``.
    ``channel_binding`` offers SCRAM-SHA-256-PLUS.
    """

    plaintext: str = setting(one_of("never", "loopback", "always"), "loopback")
    default_domain: str = setting(DOMAIN, "")
    channel_binding: bool = setting(FLAG, False)
    hashing_threads: int = setting(whole_number(1, 64), 2)
    failures_per_address: int = setting(whole_number(0, 100_000), 10)
    failures_per_network: int = setting(whole_number(0, 100_000), 30)
    failures_per_account: int = setting(whole_number(0, 100_000), 20)
    block: float = setting(WAIT, "15m")
    longest_block: float = setting(WAIT, "8h")
    never_blocked: tuple[Network, ...] = setting(NETWORKS, ["127.0.0.1/32", "::1/128"])
    sources: tuple[str, ...] = setting(NAMES, [])


@dataclass(frozen=True, slots=True)
class Store:
    """``[store]``: ``kind`` is "maildir", "memory" (gone when the server stops), or a plugin's name.

    ``maildir`` says where an account's Maildir is; ``{data}``, ``{domain}`` and ``{user}`` are filled in.
    """

    kind: str = setting(TEXT, "maildir")
    maildir: str = setting(TEMPLATE, "{data}/mail/{domain}/{user}")


@dataclass(frozen=True, slots=True)
class Receive:
    """``[receive]``: ``separator`` begins the tag in user+tag@domain (empty: no tags).

    ``greeting_pause`` holds the greeting back, in seconds, to see who speaks first.  ``trusted_users`` are
    users of this machine, at local sockets.
    """

    trusted_networks: tuple[Network, ...] = setting(NETWORKS, [])
    trusted_users: tuple[str, ...] = setting(NAMES, [])
    greeting_pause: float = setting(PAUSE, "0.3s")
    separator: str = setting(SEPARATOR, "+")
    header_writers: tuple[str, ...] = setting(NAMES, [])


@dataclass(frozen=True, slots=True)
class Submission:
    """``[submission]``: what users send; ``judges`` are those that run there, in order.

    What an account sends to other hosts in a day, one copy a recipient, is held beyond ``messages_per_day``
    or ``new_recipients_per_day``, and not taken beyond ``most_per_day``; 0 is without limit.
    ``ahead`` is how many seconds before it is to leave a message may be handed in.
    """

    judges: tuple[str, ...] = setting(NAMES, ["one_from", "own_sender", "hop_count"])
    messages_per_day: int = setting(COUNT, 1000)
    new_recipients_per_day: int = setting(COUNT, 200)
    most_per_day: int = setting(COUNT, 5000)
    ahead: float = setting(AHEAD, "30d")


@dataclass(frozen=True, slots=True)
class Limits:
    """``[limits]``: sizes in octets, times in seconds; a count of 0 is without limit.

    An address is an IPv4 address or an IPv6 /64, a network is the /24 or /48 around it.  ``user_``
    is about the services of people, of whom many may share an address.  ``errors`` is how many wrong
    commands a connection may send before it is closed, and ``error_pause`` how much longer each of the
    last ones waits for its answer than the one before.
    With less than ``free_space`` octets or ``free_inodes`` files left on a disk, new mail is refused.
    """

    message_size: int = setting(SIZE, "50M")
    message_memory: int = setting(SIZE, "64M")
    recipients: int = setting(whole_number(100, 100_000), 1000)  # RFC 5321 4.5.3.1.8: at least 100
    connections: int = setting(whole_number(1, 1_000_000), 10_000)
    connections_per_address: int = setting(COUNT, 50)
    connections_per_network: int = setting(COUNT, 200)
    user_connections_per_address: int = setting(COUNT, 500)
    user_connections_per_network: int = setting(COUNT, 2000)
    new_connections_per_address: int = setting(COUNT, 1000)  # a minute
    new_connections_per_network: int = setting(COUNT, 3000)
    messages_per_address: int = setting(COUNT, 1000)  # a minute
    messages_per_network: int = setting(COUNT, 3000)  # a minute
    unknown_recipients: int = setting(COUNT, 20)
    errors: int = setting(whole_number(1, 1000), 20)
    error_pause: float = setting(PAUSE, "0.1s")
    handshake_seconds: float = setting(WAIT, "30s")
    command_seconds: float = setting(WAIT, "5m")  # RFC 5321 4.5.3.2.7
    data_seconds: float = setting(WAIT, "3m")  # RFC 5321 4.5.3.2.5
    data_rate: int = setting(SIZE, "500")  # octets a second
    reply_seconds: float = setting(WAIT, "5m")
    login_seconds: float = setting(WAIT, "3m")
    pop3_seconds: float = setting(WAIT, "10m")  # RFC 1939 section 3: at least ten minutes
    imap_seconds: float = setting(WAIT, "30m")  # RFC 9051 5.4: at least thirty minutes
    free_space: int = setting(ROOM, "256M")
    free_inodes: int = setting(whole_number(0, 1_000_000_000), 1000)


@dataclass(frozen=True, slots=True)
class Imap:
    """``[imap]``: ``without`` are capabilities that are not announced, by account, or ``*`` for all."""

    without: Withheld = setting(WITHHELD, {})


@dataclass(frozen=True, slots=True)
class Dns:
    """``[dns]``: no servers means the system's; ``trust_ad`` believes that they validate DNSSEC."""

    servers: tuple[NameServer, ...] = setting(NAME_SERVERS, [])
    trust_ad: bool = setting(FLAG, False)


@dataclass(frozen=True, slots=True)
class Send:
    """``[send]``: how mail leaves; ``routes`` are next hops by domain, asked before MX and smarthost.

    ``source_addresses`` are ours to connect from; none leaves it to the system.  ``authorities`` is a
    PEM file of those that are trusted besides the system's.
    """

    port: int = setting(PORT, 25)
    source_addresses: tuple[str, ...] = setting(SOURCE_ADDRESSES, [])
    authorities: str = setting(PATH, "")
    smarthost: NextHop | None = setting(SMARTHOST, "")
    smarthost_password_file: str = setting(PATH, "")
    retry: RetrySchedule = setting(RETRY, "15m 30m 1h 2h 4h 8h then 8h until 5d")
    allow_private: bool = setting(FLAG, False)
    routes: Mapping[str, NextHop] = setting(ROUTES, {})


@dataclass(frozen=True, slots=True)
class Queue:
    """``[queue]``: what is done at one time, and when a sender hears of a delay; times in seconds.

    ``keep`` is how long a message stays for its story when it is finished.
    """

    deliveries: int = setting(whole_number(1, 10_000), 100)
    deliveries_per_destination: int = setting(whole_number(1, 1000), 10)
    delay_notice: float = setting(WAIT, "4h")
    keep: float = setting(WAIT, "7d")


@dataclass(frozen=True, slots=True)
class Dkim:
    """``[dkim]``: our signatures.  ``new_keys_after`` is in seconds; 0 for never."""

    sign: bool = setting(FLAG, True)
    new_keys_after: float = setting(PAUSE, "365d")


@dataclass(frozen=True, slots=True)
class Route:
    """``[route]``: ``routers`` are plugins that are asked before the accounts and aliases.

    ``deliveries`` names the delivery that gets the mail of an address, or of all of a domain.
    """

    routers: tuple[str, ...] = setting(NAMES, [])
    deliveries: Mapping[Address | str, str] = setting(DELIVERIES, {})


@dataclass(frozen=True, slots=True)
class Journal:
    """``[journal]``: how long stories are kept, in seconds, and how many octets they may take."""

    keep: float = setting(KEEP, "30d")
    size: int = setting(SIZE, "1G")


_JUDGES = [
    "early_talker",
    "iprev",
    "spf",
    "dns_lists",
    "greylisting",
    "one_from",
    "hop_count",
    "dkim",
    "dmarc",
]


@dataclass(frozen=True, slots=True)
class Judge:
    """``[judge]``: the judges that run, in order.

    ``blocklists`` and ``allowlists`` are lists in DNS.  Hosts that nobody vouches for wait ``greylist_wait``
    seconds; who has written is remembered for ``remember_senders``, 0 for never.  ``exempt`` are networks
    whose mail is not judged by its origin; ``trusted_forwarders``, networks and domains, hand on the mail
    of others.
    """

    judges: tuple[str, ...] = setting(NAMES, _JUDGES)
    blocklists: tuple[str, ...] = setting(ZONES, [])
    allowlists: tuple[str, ...] = setting(ZONES, [])
    greylist_wait: float = setting(WAIT, "1m")
    remember_senders: float = setting(PAUSE, "365d")
    exempt: tuple[Network, ...] = setting(NETWORKS, ["127.0.0.1/32", "::1/128"])
    trusted_forwarders: tuple[Network | str, ...] = setting(FORWARDERS, [])


@dataclass(frozen=True, slots=True)
class Log:
    """``[log]``: ``file`` is empty for standard output; ``levels`` are by namespace, as lines have it."""

    format: str = setting(one_of("text", "json"), "text")
    file: str = setting(PATH, "")
    level: str = setting(LEVEL, "info")
    levels: Mapping[str, str] = setting(LEVELS, {})


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole file, which is at ``path``."""

    hostname: str = setting(HOSTNAME)
    data: str = setting(PATH, "data")
    process: Process = section(Process)
    log: Log = section(Log)
    tls: Tls = section(Tls)
    listen: tuple[Listener, ...] = sections(Listener)
    auth: Auth = section(Auth)
    store: Store = section(Store)
    receive: Receive = section(Receive)
    submission: Submission = section(Submission)
    limits: Limits = section(Limits)
    imap: Imap = section(Imap)
    dns: Dns = section(Dns)
    send: Send = section(Send)
    queue: Queue = section(Queue)
    dkim: Dkim = section(Dkim)
    route: Route = section(Route)
    judge: Judge = section(Judge)
    journal: Journal = section(Journal)
    plugins: Mapping[str, PluginTable] = setting(TABLES, {})  # raw until load has read them
    path: str = field(default="", compare=False)

    @property
    def base(self) -> str:
        """The folder of the file, to which its paths are relative."""
        return os.path.dirname(self.path)
