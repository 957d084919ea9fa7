"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677).

::

    client   n,,n=<name>,r=<nonce>                          its header says how it binds to TLS
    server   r=<nonce><ours>,s=<salt>,i=<iterations>
    client   c=<header and binding>,r=<nonce><ours>,p=<proof>
    server   v=<signature>
    client   (nothing)

The password never travels, and with -PLUS the proof is of use on this TLS connection alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from mailsys.wire.sasl.steps import (
    Challenge,
    Failed,
    KeysWanted,
    Proven,
    Refusal,
    ScramKeys,
    Step,
)

NONCE_OCTETS = 18  # of ours; base64 makes 24 characters of them, without padding
DIGEST_OCTETS = 32
BINDINGS = ("tls-server-end-point", "tls-exporter")  # RFC 5929 4, RFC 9266 4; tls-unique is not safe

Binding = Callable[[str], bytes | None]  # what binds to this connection, by type; None: it does not do that

# RFC 5802 7: gs2-header and client-first-message-bare.  "m=" (an extension that must be understood)
# is not matched, and so refused.
_FIRST = re.compile(
    rb"(?P<header>(?P<flag>n|y|p=(?P<kind>[A-Za-z0-9.-]{1,64})),(?:a=(?P<acting_as>[^,\0]+))?,)"
    rb"(?P<bare>n=(?P<name>[^,\0]+),r=(?P<nonce>[!-+\--~]{1,1024})(?:,[A-Za-z]=[^,\0]+)*)"
)
# RFC 5802 7: client-final-message.
_FINAL = re.compile(
    rb"(?P<without_proof>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,[A-Za-oq-z]=[^,\0]+)*)"
    rb",p=(?P<proof>[A-Za-z0-9+/=]+)"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """``is_plus``: with the -PLUS mechanism; ``offers_plus``: would that be possible on this connection?"""

    is_plus: bool
    offers_plus: bool
    binding: Binding
    nonce: bytes  # random octets, never the same twice


class _Expected(Enum):
    FIRST = auto()
    FINAL = auto()
    NOTHING = auto()


class Scram:
    """One exchange."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._expected = _Expected.FIRST
        self._name = ""
        self._bound = b""  # what the client's header and binding must be
        self._nonce = b""
        self._first_bare = b""
        self._server_first = b""
        self._keys: ScramKeys

    def begin(self, initial: bytes | None) -> Step:
        """Ask for the client's first message if it did not come along."""
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Take the client's next message."""
        match self._expected:
            case _Expected.FIRST:
                return self._take_first(response)
            case _Expected.FINAL:
                return self._take_final(response)
            case _Expected.NOTHING:
                return Failed(Refusal.MALFORMED) if response else Proven(self._name)

    def keys(self, keys: ScramKeys) -> Step:
        """Send salt and iterations of these keys, which may be those of nobody."""
        self._keys = keys
        self._expected = _Expected.FINAL
        salt = base64.b64encode(keys.salt)
        self._server_first = b"r=%b,s=%b,i=%d" % (self._nonce, salt, keys.iterations)
        return Challenge(self._server_first)

    def _take_first(self, message: bytes) -> Step:
        first = _FIRST.fullmatch(message)
        if first is None:
            return Failed(Refusal.MALFORMED)
        if (refusal := self._bind(first["flag"], first["kind"])) is not None:
            return Failed(refusal)
        name, acting_as = _saslname(first["name"]), _saslname(first["acting_as"] or first["name"])
        if name is None or acting_as is None:
            return Failed(Refusal.MALFORMED)
        if acting_as != name:
            return Failed(Refusal.OTHER_IDENTITY)
        self._name = name
        self._bound = first["header"] + self._bound
        self._first_bare = first["bare"]
        self._nonce = first["nonce"] + base64.b64encode(self._terms.nonce)
        return KeysWanted(name)

    def _bind(self, flag: bytes, kind: bytes | None) -> Refusal | None:
        """RFC 5802 6: p= belongs to -PLUS and nothing else does; y is a lie if -PLUS was offered."""
        if flag == b"y" and self._terms.offers_plus:
            return Refusal.DOWNGRADED
        if (kind is not None) != self._terms.is_plus:
            return Refusal.MALFORMED
        if kind is None:
            return None
        data = self._terms.binding(kind.decode()) if kind.decode() in BINDINGS else None
        self._bound = data or b""
        return None if data else Refusal.MALFORMED

    def _take_final(self, message: bytes) -> Step:
        final = _FINAL.fullmatch(message)
        if final is None:
            return Failed(Refusal.MALFORMED)
        bound, proof = _decoded(final["binding"]), _decoded(final["proof"])
        if bound is None or proof is None or len(proof) != DIGEST_OCTETS:
            return Failed(Refusal.MALFORMED)
        if not hmac.compare_digest(final["nonce"], self._nonce):
            return Failed(Refusal.MALFORMED)
        if not hmac.compare_digest(bound, self._bound):
            return Failed(Refusal.WRONG_BINDING)
        signed = b",".join((self._first_bare, self._server_first, final["without_proof"]))
        if not self._is_right(proof, signed):
            return Failed(Refusal.WRONG_PROOF)
        self._expected = _Expected.NOTHING
        signature = hmac.digest(self._keys.server_key, signed, "sha256")
        return Challenge(b"v=" + base64.b64encode(signature))

    def _is_right(self, proof: bytes, signed: bytes) -> bool:
        """RFC 5802 3: the proof gives the client's key, whose digest we have."""
        signature = hmac.digest(self._keys.stored_key, signed, "sha256")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.sha256(client_key).digest(), self._keys.stored_key)


def _saslname(octets: bytes) -> str | None:
    """RFC 5802 5.1: a comma is written =2C and an equals sign =3D; nothing else may follow one."""
    if re.search(rb"=(?!2C|3D)", octets):
        return None
    try:
        return octets.replace(b"=2C", b",").replace(b"=3D", b"=").decode()
    except UnicodeDecodeError:
        return None


def _decoded(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
