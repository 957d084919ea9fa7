"""What one setting alone cannot tell: mistakes between settings, and with this machine."""

from __future__ import annotations

import os
import pwd
import ssl
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from mailsys.config.certificate import check_certificates
from mailsys.config.mistake import Mistake, shown
from mailsys.config.paths import field_in
from mailsys.config.schema import Configuration
from mailsys.tls.files import CertificateFiles


def check(configuration: Configuration, in_force: Collection[CertificateFiles] = ()) -> Iterator[Mistake]:
    """Every mistake; opens no port and writes nothing.  ``in_force``: certificates that are read already."""
    return chain(
        _check_data(configuration.data),
        _check_maildir(configuration.store.maildir, configuration.base),
        _check_process(configuration.process.user),
        _check_trusted_users(configuration.receive.trusted_users),
        check_certificates(configuration.tls, in_force),
        _check_listeners(configuration),
        _check_smarthost(configuration),
        _check_judges(configuration.judge.judges),
    )


def _check_data(path: str) -> Iterator[Mistake]:
    if os.path.exists(path) and not os.path.isdir(path):
        yield Mistake("data", shown(path), "is not a folder", "name a folder, or one that can be made")
    if field := field_in(path):
        yield Mistake("data", shown(path), f"has {field} in its name", "name another folder")


def _check_maildir(template: str, base: str) -> Iterator[Mistake]:
    field = field_in(base)
    if field and template.startswith(base):
        wrong = f"is relative to a folder with {field} in its name"
        yield Mistake("store.maildir", shown(template), wrong, "move the configuration to another folder")


def _check_process(user: str) -> Iterator[Mistake]:
    if not user:
        return
    try:
        pwd.getpwnam(user)
    except KeyError:
        right = f"make the user, as with 'adduser --system {user}', or name another"
        yield Mistake("process.user", shown(user), "does not exist on this machine", right)


def _check_trusted_users(users: Iterable[str]) -> Iterator[Mistake]:
    for user in users:
        try:
            pwd.getpwnam(user)
        except KeyError:
            right = "write the names of users as in /etc/passwd, and leave out who is not there"
            yield Mistake("receive.trusted_users", shown(user), "does not exist on this machine", right)


def _check_listeners(configuration: Configuration) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for number, listener in enumerate(configuration.listen, 1):
        key, tls = f"listen[{number}]", listener.tls
        if listener.service == "web" and tls == "starttls":
            yield Mistake(f"{key}.tls", shown(tls), "does not exist for web", 'write "implicit" or "none"')
        elif tls != "none" and not (configuration.tls.certificate or configuration.tls.key):
            right = 'name certificate and key below [tls], or write tls = "none"'
            yield Mistake(f"{key}.tls", shown(tls), "needs a certificate", right)
        if (first := seen.setdefault(listener.endpoint, number)) != number and listener.endpoint != "tcp:0":
            right = "give each an endpoint of its own"
            yield Mistake(
                f"{key}.endpoint", shown(listener.endpoint), f"is that of listen[{first}], too", right
            )


def _check_judges(judges: Sequence[str]) -> Iterator[Mistake]:
    """What ``dmarc`` builds on must be there before, or it would refuse mail that is real."""
    before = judges[: judges.index("dmarc")] if "dmarc" in judges else ()
    if "dmarc" in judges and (missing := [name for name in ("spf", "dkim") if name not in before]):
        wrong = f'has "dmarc" without {" and ".join(missing)} before it'
        yield Mistake(
            "judge.judges", shown(list(judges)), wrong, 'name "spf" and "dkim" first, or leave it out'
        )


def _check_smarthost(configuration: Configuration) -> Iterator[Mistake]:
    hop, path = configuration.send.smarthost, configuration.send.smarthost_password_file
    if hop and hop.user and not path:
        right = "name a file that holds its password in smarthost_password_file"
        yield Mistake("send.smarthost", shown(str(hop)), "has a user without a password", right)
    for key in ("smarthost_password_file", "authorities"):
        path = getattr(configuration.send, key)
        if path and not os.access(path, os.R_OK):
            wrong = "cannot be read" if os.path.exists(path) else "does not exist"
            yield Mistake(f"send.{key}", shown(path), wrong, "name a file that this user can read")
        elif path and key == "authorities" and not _holds_certificates(path):
            right = "name a PEM file with the certificates of authorities"
            yield Mistake(f"send.{key}", shown(path), "holds no certificates", right)


def _holds_certificates(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError):
        return False
    return True
