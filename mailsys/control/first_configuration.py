"""The text of the configuration that ``mailsys init`` writes: short, and commented for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from mailsys.config.ports import STANDARD_PORTS


@dataclass(frozen=True, slots=True)
class FirstConfiguration:
    """What was chosen on the command line.

    ``address`` is where it listens, empty for all addresses of the machine.  ``port_base`` is added
    to every standard port.  ``user`` is what a server started as root becomes; empty leaves it open.
    """

    hostname: str
    address: str = ""
    port_base: int = 0
    user: str = ""

    def endpoint(self, port_name: str, address: str | None = None) -> str:
        """The endpoint string of one of the standard ports."""
        address = self.address if address is None else address
        port = self.port_base + STANDARD_PORTS[port_name]
        if not address:
            return f"tcp:{port}"
        if ":" in address:
            return f"tcp6:{port}:interface={address.replace(':', chr(92) + ':')}"
        return f"tcp:{port}:interface={address}"

    @property
    def loopback(self) -> str:
        """Where programs of this machine hand mail in: the address, if it is one of loopback."""
        return self.address if self.address.startswith("127.") or self.address == "::1" else "127.0.0.1"

    def text(self) -> str:
        """The whole file."""
        return "\n".join([*self._head(), *self._listeners(), *_REST.splitlines()]) + "\n"

    def _head(self) -> Iterator[str]:
        yield from _HEAD.splitlines()
        yield _setting("hostname", self.hostname, "what this host calls itself, and its MX record says")
        yield _setting("data", "data", "accounts, mail, and whatever else must be kept")
        yield ""
        yield "[process]"
        if self.user == "root":
            yield _setting("user", "root", "stays root, for a trial only: name another user for real mail")
        elif self.user:
            yield _setting("user", self.user, _BECOMES)
        else:
            yield _setting("# user", "", _BECOMES)
        yield from _TLS.splitlines()

    def _listeners(self) -> Iterator[str]:
        yield from _listener("mail from other hosts", "smtp", self.endpoint("smtp"), "starttls")
        submission = self.endpoint("submission"), self.endpoint("submissions")
        yield from _listener("mail programs send mail", "submission", submission[0], "starttls")
        yield from _listener("the same, with TLS from the start", "submission", submission[1], "implicit")
        yield from _listener("mail programs fetch mail", "pop3", self.endpoint("pop3"), "starttls")
        yield from _listener("the same, with TLS from the start", "pop3", self.endpoint("pop3s"), "implicit")
        yield from _listener("mail programs read mail, in folders", "imap", self.endpoint("imap"), "starttls")
        yield from _listener("the same, with TLS from the start", "imap", self.endpoint("imaps"), "implicit")
        lmtp = self.endpoint("lmtp", self.loopback)
        yield from _listener("programs on this machine deliver mail", "lmtp", lmtp, "none")


_BECOMES = "started as root, it becomes this user after opening its ports"


def _setting(name: str, value: str, comment: str) -> str:
    return f"{f'{name} = {_string(value)}':<29} # {comment}"


def _string(text: str) -> str:
    """With backslashes in single quotes, as TOML takes them literally there."""
    return f"'{text}'" if "\\" in text else json.dumps(text, ensure_ascii=False)


def _listener(purpose: str, service: str, endpoint: str, tls: str) -> Iterator[str]:
    yield f"{'[[listen]]':<29} # {purpose}" if purpose else "[[listen]]"
    yield f'service = "{service}"'
    yield f"endpoint = {_string(endpoint)}"
    yield f'tls = "{tls}"'
    yield ""


_HEAD = """\
# mailsys.toml: the configuration of this mail host.
#
#   mailsys config check    tells every mistake in this file
#   mailsys config show     prints every setting that there is, with its value
#
# Settings behind a # are the defaults.  Relative paths are relative to this file.
# Sizes take k, M, G; times take s, m, h, d.  After a change send the server SIGHUP.

"""

_TLS = """
[tls]
certificate = "tls/cert.pem"  # made by 'mailsys init', trusted by nobody else.  One from certbot:
key = "tls/key.pem"           # /etc/letsencrypt/live/NAME/fullchain.pem and privkey.pem

# What is spoken where.  An endpoint is tcp:PORT for IPv4, tcp6:PORT for both IPv6 and IPv4,
# or tcp:PORT:interface=ADDRESS for one address; tls is starttls, implicit or none.
"""

_REST = """
[auth]
# plaintext = "loopback"      # passwords without TLS: never, loopback or always
# default_domain = ""         # completes login names that have no @; empty: the first domain

[store]
# maildir = "{data}/mail/{domain}/{user}"

[receive]
# trusted_networks = []       # may send to other hosts without login, as in ["192.0.2.0/24"]
# separator = "+"             # user+anything@ is delivered to user@

[submission]
# messages_per_day = 1000     # of one account to other hosts; more is held, and user and log are told
# new_recipients_per_day = 200

[limits]
# message_size = "50M"
# recipients = 1000           # of one message
# connections = 10000
# connections_per_address = 50        # from another host; loopback has no limit of its own
# user_connections_per_address = 500  # from where people read their mail

[send]
# smarthost = ""              # takes all mail for other hosts, as in "smtp://relay.example.org"
# retry = "15m 30m 1h 2h 4h 8h then 8h until 5d"   # waits between attempts, and when to give up

[dkim]
# sign = true                 # what your users send; 'mailsys domain records' prints what to publish for it
# new_keys_after = "365d"     # so old keys get successors, to be published then; "0" for never

[judge]
# blocklists = []             # lists in DNS that are asked, as in ["zen.example.net"]; see docs/judging.rst
"""
