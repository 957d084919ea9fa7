"""SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677), without channel binding.

::

    client   n,,n=<name>,r=<nonce>
    server   r=<nonce><theirs>,s=<salt>,i=<iterations>
    client   c=biws,r=<nonce><theirs>,p=<proof>
    server   v=<signature>
    client   (nothing)

The password never travels, and the server shows that it knows its keys: whoever does not is not believed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata

from mailsys.wire.sasl.client import Login

LEAST_ITERATIONS = 4096  # RFC 7677 4
MOST_ITERATIONS = 1_000_000  # each costs time that a server could make us spend
NONCE_OCTETS = 18

_FIRST = re.compile(
    rb"r=([!-+\--~]{1,1024}),s=([A-Za-z0-9+/=]{1,1024}),i=([1-9][0-9]{0,8})(?:,[A-Za-z]=[^,\0]+)*"
)
_FINAL = re.compile(rb"v=([A-Za-z0-9+/=]{1,128})(?:,[A-Za-z]=[^,\0]+)*")


class ScramExchange:
    """One exchange; ``nonce`` is ``NONCE_OCTETS`` of chance, never the same twice."""

    name = "SCRAM-SHA-256"

    def __init__(self, login: Login, nonce: bytes) -> None:
        self._password = unicodedata.normalize("NFKC", login.password).encode()
        self._nonce = base64.b64encode(nonce)
        name = login.name.replace("=", "=3D").replace(",", "=2C").encode()  # RFC 5802 5.1
        self._first_bare = b"n=" + name + b",r=" + self._nonce
        self._signature = b""
        self.is_satisfied = False

    def initial(self) -> bytes | None:
        """Return name and nonce."""
        return b"n,," + self._first_bare

    def respond(self, challenge: bytes | None) -> bytes | None:
        """Prove the password, then see whether the server knows it; None when it plays false."""
        if challenge is None or self.is_satisfied:
            return None
        return self._check(challenge) if self._signature else self._prove(challenge)

    def _prove(self, server_first: bytes) -> bytes | None:
        match = _FIRST.fullmatch(server_first)
        if match is None:
            return None
        nonce, iterations = match[1], int(match[3])
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            return None
        if not LEAST_ITERATIONS <= iterations <= MOST_ITERATIONS:
            return None
        try:
            salt = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            return None
        without_proof = b"c=biws,r=" + nonce
        signed = b",".join((self._first_bare, server_first, without_proof))
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return without_proof + b",p=" + base64.b64encode(proof)

    def _check(self, server_final: bytes) -> bytes | None:
        match = _FINAL.fullmatch(server_final)
        if match is None or not hmac.compare_digest(match[1], base64.b64encode(self._signature)):
            return None
        self.is_satisfied = True
        return b""
