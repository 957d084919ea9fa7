"""How we speak TLS as a server: the same on every port (RFC 8996, RFC 9325).

TLS 1.2 and 1.3; of TLS 1.2 only suites with forward secrecy and authenticated encryption.  The groups
are OpenSSL's own: X25519MLKEM768 first where it has that, then X25519 and the curves of NIST.

Port 25 is no exception, though a sender that cannot agree with us may well send in the clear.  One
that knows TLS 1.2 and none of these suites has had no updates for years; to all others a weaker
suite is of no use, but to an attacker who tries to bring them to it.

No 0-RTT: OpenSSL accepts none unless it is told to.  A ticket leaves only when the client's Finished
has come, so that clients which trip over a ticket inside the handshake, as those of Exchange Online
do (seen by others since 2024-10), never see one there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cryptography import x509
from OpenSSL import SSL

# 112 bits of security at least: no RSA key under 2048 bits, no signature with SHA-1.
TLS_1_2_SUITES = ":".join(
    [
        "@SECLEVEL=2",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ]
)
OPTIONS = SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION
SESSION_SECONDS = 2 * 3600  # how long a client may come back with a ticket


def certificate_context(chain: Sequence[x509.Certificate], key: Any) -> SSL.Context:
    """What a connection is switched to when the certificate is chosen; raises SSL.Error."""
    context = _new_context()
    context.use_certificate(chain[0])
    for issuer in chain[1:]:
        context.add_extra_chain_cert(issuer)
    context.use_privatekey(key)
    context.check_privatekey()
    return context


def listener_context(choose: Callable[[bytes | None], SSL.Context]) -> SSL.Context:
    """What the connections of a listener begin with; ``choose`` is asked with the name in the hello.

    Tickets are sealed with a key that OpenSSL makes for this context, whatever a connection is
    switched to later, so that none is of any use at another listener.
    """

    def switch(connection: SSL.Connection) -> None:
        connection.set_context(choose(connection.get_servername()))

    context = _new_context()
    context.set_tlsext_servername_callback(switch)
    return context


def _new_context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(TLS_1_2_SUITES.encode())
    context.set_options(OPTIONS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # Sessions live in tickets alone: a cache would keep those of strangers in our memory.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"mailsys")
    context.set_timeout(SESSION_SECONDS)
    return context
